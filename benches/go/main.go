// Measures zap, zerolog and slog on the events of the json bench.
//
// Usage: json EVENTS. Prints one line for each: a name, and nanoseconds of processor time per event.
// Every line is counted, and the last one read back and checked.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"github.com/rs/zerolog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	trace   = "4bf92f3577b34da6a3ce929d0e0e4736"
	route   = "/api/orders/{id}/pay"
	user    = "u_72134"
	message = "order settled by the channel"
)

// sink counts lines and keeps the last.
type sink struct {
	lines int
	last  []byte
}

func (s *sink) Write(line []byte) (int, error) {
	s.lines++
	s.last = append(s.last[:0], line...)
	return len(line), nil
}

func zapEvents(out io.Writer) func(int) {
	config := zap.NewProductionEncoderConfig()
	config.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	core := zapcore.NewCore(zapcore.NewJSONEncoder(config), zapcore.AddSync(out), zap.InfoLevel)
	logger := zap.New(core).Named("shop::pay").With(
		zap.String("trace_id", trace), zap.String("method", "POST"), zap.String("route", route),
		zap.Uint64("order_id", 88123), zap.String("user_id", user), zap.Uint64("attempt", 2))
	return func(n int) {
		logger.Info(message, zap.String("channel", "wechat"), zap.String("currency", "CNY"),
			zap.String("event", "pay_settled"), zap.Uint64("amount_cents", uint64(129950+n%7)),
			zap.Float64("latency_ms", 12.625), zap.Bool("first", true))
	}
}

func zerologEvents(out io.Writer) func(int) {
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000000Z07:00"
	logger := zerolog.New(out).With().Timestamp().Str("target", "shop::pay").
		Str("trace_id", trace).Str("method", "POST").Str("route", route).
		Uint64("order_id", 88123).Str("user_id", user).Uint64("attempt", 2).Logger()
	return func(n int) {
		logger.Info().Str("channel", "wechat").Str("currency", "CNY").Str("event", "pay_settled").
			Uint64("amount_cents", uint64(129950+n%7)).Float64("latency_ms", 12.625).
			Bool("first", true).Msg(message)
	}
}

func slogEvents(out io.Writer) func(int) {
	logger := slog.New(slog.NewJSONHandler(out, nil)).With("target", "shop::pay",
		"trace_id", trace, "method", "POST", "route", route,
		"order_id", uint64(88123), "user_id", user, "attempt", uint64(2))
	return func(n int) {
		logger.LogAttrs(nil, slog.LevelInfo, message, slog.String("channel", "wechat"),
			slog.String("currency", "CNY"), slog.String("event", "pay_settled"),
			slog.Uint64("amount_cents", uint64(129950+n%7)), slog.Float64("latency_ms", 12.625),
			slog.Bool("first", true))
	}
}

func measure(name string, make func(io.Writer) func(int), events int) {
	out := &sink{}
	event := make(out)
	for n := 0; n < 100; n++ {
		event(n)
	}
	out.lines = 0
	runtime.GC()
	before := cpu()
	for n := 0; n < events; n++ {
		event(n)
	}
	spent := cpu() - before
	check(name, out, events)
	fmt.Printf("%s %.1f\n", name, float64(spent)/float64(events))
}

func check(name string, out *sink, events int) {
	var line map[string]any
	if err := json.Unmarshal(out.last, &line); err != nil {
		fail("%s wrote no JSON: %s", name, out.last)
	}
	expected := map[string]any{
		"channel": "wechat", "currency": "CNY", "event": "pay_settled",
		"amount_cents": float64(129950 + (events-1)%7), "latency_ms": 12.625, "first": true,
		"trace_id": trace, "method": "POST", "route": route,
		"order_id": 88123.0, "user_id": user, "attempt": 2.0,
	}
	for key, value := range expected {
		if line[key] != value {
			fail("%s lost %s=%v: %s", name, key, value, out.last)
		}
	}
	if out.lines != events {
		fail("%s wrote %d lines of %d", name, out.lines, events)
	}
}

// cpu is the processor time of the process, its garbage collector included.
func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail("getrusage: %v", err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

func main() {
	if len(os.Args) != 2 {
		fail("usage: json EVENTS")
	}
	events, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fail("usage: json EVENTS")
	}
	measure("zap", zapEvents, events)
	measure("zerolog", zerologEvents, events)
	measure("slog", slogEvents, events)
}
