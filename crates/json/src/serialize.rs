//! Serializes a value into a tree, as `serde_json` would write it.

use crate::compound::Compound;
use crate::nested::Answer;
use crate::shield::shielded;
use crate::text::{FAILED, Hex, PANICKED};
use crate::tree::{Full, Tree};
use serde_core::ser::{self, Serialize, Serializer};
use std::fmt::{self, Display};

/// One whole value, whatever its `Serialize` does.
pub(crate) fn serialize<T: Serialize + ?Sized>(value: &T, mut tree: Tree) -> Answer {
    let remark = match shielded(|| value.serialize(&mut tree)) {
        Some(Ok(()) | Err(Stop::Full)) => None,
        Some(Err(Stop::Failed)) => Some(FAILED),
        None => Some(PANICKED),
    };
    tree.finish(remark)
}

/// A value as text: of a string its characters, of anything else its JSON.
pub(crate) fn bare<T: Serialize + ?Sized>(value: &T) -> String {
    let Answer { json, .. } = serialize(value, Tree::bare());
    String::from_utf8(json).unwrap_or_default()
}

/// Why a value is not serialized to its end.
#[derive(Debug)]
pub(crate) enum Stop {
    Full,
    /// The value's own `Serialize` says so.
    Failed,
}

impl From<Full> for Stop {
    fn from(Full: Full) -> Self {
        Stop::Full
    }
}

impl Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stop::Full => "the value has no more room in its line",
            Stop::Failed => "the value cannot be serialized",
        })
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: Display>(_: T) -> Self {
        Stop::Failed
    }
}

impl Tree {
    fn unsigned(&mut self, n: u64) -> Result<(), Stop> {
        Ok(self.scalar(itoa::Buffer::new().format(n))?)
    }

    fn signed(&mut self, n: i64) -> Result<(), Stop> {
        Ok(self.scalar(itoa::Buffer::new().format(n))?)
    }

    fn float<F: zmij::Float>(&mut self, float: F, finite: bool) -> Result<(), Stop> {
        if finite {
            Ok(self.scalar(zmij::Buffer::new().format_finite(float))?)
        } else {
            Ok(self.scalar("null")?)
        }
    }

    /// `{"name":` and `}` around a value.
    fn named<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Stop> {
        let mut object = Compound::open(self, b'{', b'}')?;
        object.field(name, value)?;
        object.end()
    }
}

impl<'t> Serializer for &'t mut Tree {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Compound<'t>;
    type SerializeTuple = Compound<'t>;
    type SerializeTupleStruct = Compound<'t>;
    type SerializeTupleVariant = Compound<'t>;
    type SerializeMap = Compound<'t>;
    type SerializeStruct = Compound<'t>;
    type SerializeStructVariant = Compound<'t>;

    fn serialize_bool(self, v: bool) -> Result<(), Stop> {
        Ok(self.scalar(if v { "true" } else { "false" })?)
    }
    fn serialize_i8(self, v: i8) -> Result<(), Stop> {
        self.signed(v.into())
    }
    fn serialize_i16(self, v: i16) -> Result<(), Stop> {
        self.signed(v.into())
    }
    fn serialize_i32(self, v: i32) -> Result<(), Stop> {
        self.signed(v.into())
    }
    fn serialize_i64(self, v: i64) -> Result<(), Stop> {
        self.signed(v)
    }
    // As at the top of a line: a string keeps every digit.
    fn serialize_i128(self, v: i128) -> Result<(), Stop> {
        Ok(self.text(itoa::Buffer::new().format(v))?)
    }
    fn serialize_u8(self, v: u8) -> Result<(), Stop> {
        self.unsigned(v.into())
    }
    fn serialize_u16(self, v: u16) -> Result<(), Stop> {
        self.unsigned(v.into())
    }
    fn serialize_u32(self, v: u32) -> Result<(), Stop> {
        self.unsigned(v.into())
    }
    fn serialize_u64(self, v: u64) -> Result<(), Stop> {
        self.unsigned(v)
    }
    fn serialize_u128(self, v: u128) -> Result<(), Stop> {
        Ok(self.text(itoa::Buffer::new().format(v))?)
    }
    fn serialize_f32(self, v: f32) -> Result<(), Stop> {
        self.float(v, v.is_finite())
    }
    fn serialize_f64(self, v: f64) -> Result<(), Stop> {
        self.float(v, v.is_finite())
    }
    fn serialize_char(self, v: char) -> Result<(), Stop> {
        Ok(self.text(v.encode_utf8(&mut [0; 4]))?)
    }
    fn serialize_str(self, v: &str) -> Result<(), Stop> {
        Ok(self.text(v)?)
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<(), Stop> {
        Ok(self.display(&Hex(v))?)
    }
    fn serialize_none(self) -> Result<(), Stop> {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Stop> {
        Ok(self.scalar("null")?)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Stop> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<(), Stop> {
        self.serialize_str(name)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        self.named(name, value)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'t>, Stop> {
        Compound::open(self, b'[', b']')
    }
    fn serialize_tuple(self, _: usize) -> Result<Compound<'t>, Stop> {
        Compound::open(self, b'[', b']')
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Compound<'t>, Stop> {
        Compound::open(self, b'[', b']')
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Compound<'t>, Stop> {
        Compound::nest(self, name, (b'[', b']'))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'t>, Stop> {
        Compound::open(self, b'{', b'}')
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'t>, Stop> {
        if name == NUMBER {
            return Ok(Compound::number(self));
        }
        Compound::open(self, b'{', b'}')
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Compound<'t>, Stop> {
        Compound::nest(self, name, (b'{', b'}'))
    }
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Stop> {
        Ok(self.display(&value)?)
    }
}

/// How `serde_json` gives a number when its feature `arbitrary_precision` is on.
const NUMBER: &str = "$serde_json::private::Number";
