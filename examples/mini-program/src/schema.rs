//! Lays out the store: two SQLite files, their tables, their first rows.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction, params};

use crate::login;
use crate::people::{PEOPLE, person};

/// Creates and fills both files.
pub(crate) fn create(dir: &Path) -> rusqlite::Result<()> {
    let mut db = Connection::open(dir.join(SHOP))?;
    // Readers and the one writer of an order do not wait for each other.
    db.pragma_update(None, "journal_mode", "WAL")?;
    // The recommendations keep the classic journal: who rebuilds them locks their readers out.
    db.execute("ATTACH DATABASE ?1 AS rec", params![path(dir, RECOMMEND)])?;
    db.execute_batch(TABLES)?;
    let filled: bool = db.query_row("SELECT EXISTS (SELECT 1 FROM products)", [], |r| r.get(0))?;
    if !filled {
        fill(&mut db)?;
    }
    Ok(())
}

/// Opens one connection for the pool.
pub(crate) fn connect(dir: &Path, lock_patience: Duration) -> rusqlite::Result<Connection> {
    let db = Connection::open(dir.join(SHOP))?;
    db.busy_timeout(lock_patience)?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.execute("ATTACH DATABASE ?1 AS rec", params![path(dir, RECOMMEND)])?;
    // Reads both schemas now: later statements on the shop's own tables need no look at `rec`.
    db.query_row("SELECT count(*) FROM rec.picks", [], |row| {
        row.get::<_, u64>(0)
    })?;
    Ok(db)
}

/// Begins a transaction that writes: it waits for the shop's other writers now, instead of failing
/// at its first write because somebody else wrote after its first read.
pub(crate) fn write(db: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    let rows = db.transaction()?;
    // `BEGIN IMMEDIATE` would lock `rec` too, and with it whoever rebuilds the recommendations would
    // stop every order. A write that writes nothing locks the shop's own file alone.
    rows.execute("DELETE FROM main.orders WHERE FALSE", [])?;
    Ok(rows)
}

/// A path as text: SQLite takes names in UTF-8.
pub(crate) fn path(dir: &Path, file: &str) -> String {
    dir.join(file).to_string_lossy().into_owned()
}

fn fill(db: &mut Connection) -> rusqlite::Result<()> {
    let rows = db.transaction()?;
    for (index, (title, fen)) in (1_u64..).zip(PRODUCTS) {
        rows.execute(
            "INSERT INTO products VALUES (?1, ?2, ?3)",
            params![index, title, fen],
        )?;
        for scene in SCENES {
            let score = (index * 37 + scene.len() as u64 * 11) % 100;
            rows.execute(
                "INSERT INTO rec.picks VALUES (?1, ?2, ?3)",
                params![scene, index, score],
            )?;
        }
    }
    for person in (1..=PEOPLE).map(person) {
        rows.execute(
            "INSERT INTO visitors VALUES (?1, ?2, ?3, ?4)",
            params![
                person.id,
                person.nickname,
                person.phone,
                login::hash(&person.password),
            ],
        )?;
    }
    rows.commit()
}

/// The shop's own file.
pub(crate) const SHOP: &str = "shop.db";
/// The recommendations' file, attached to every connection as `rec`.
pub(crate) const RECOMMEND: &str = "recommend.db";
/// Where recommendations are shown.
pub(crate) const SCENES: [&str; 3] = ["home", "cart", "guess"];

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS visitors (
    id INTEGER PRIMARY KEY, nickname TEXT NOT NULL, phone TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS used_codes (code_hash TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS products (
    id INTEGER PRIMARY KEY, title TEXT NOT NULL, fen INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY, visitor INTEGER NOT NULL REFERENCES visitors,
    product INTEGER NOT NULL REFERENCES products, fen INTEGER NOT NULL,
    traceparent TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('created', 'paid')));
CREATE TABLE IF NOT EXISTS payments (
    order_id INTEGER PRIMARY KEY REFERENCES orders, fen INTEGER NOT NULL,
    tries INTEGER NOT NULL, traceparent TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('opened', 'failed', 'settled')));
CREATE TABLE IF NOT EXISTS ledger (
    order_id INTEGER PRIMARY KEY REFERENCES orders, fen INTEGER NOT NULL, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, visitor INTEGER NOT NULL REFERENCES visitors, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rec.picks (
    scene TEXT NOT NULL, product INTEGER NOT NULL, score INTEGER NOT NULL,
    PRIMARY KEY (scene, product)) WITHOUT ROWID;
";

/// Titles and prices in fen, a hundredth of a yuan.
const PRODUCTS: [(&str, u64); 10] = [
    ("西湖龙井 明前特级 100g", 26_800),
    ("景德镇青花瓷茶具 6件套", 45_900),
    ("新疆和田大枣 500g", 3_990),
    ("云南普洱熟茶饼 2018", 15_800),
    ("小罐茶 Gift Box 礼盒装", 50_000),
    ("桂花酸梅汤 12瓶", 5_880),
    ("五常大米 5kg", 8_990),
    ("阳澄湖大闸蟹券 8只", 39_900),
    ("Kindle 阅读器保护套", 4_950),
    ("手冲咖啡壶 600ml", 12_900),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_written_at_once_wait_for_each_other_and_none_fails() {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path()).unwrap();
        let buy = || {
            let mut db = connect(dir.path(), Duration::from_secs(30)).unwrap();
            for _ in 0..50 {
                let rows = write(&mut db).unwrap();
                let find = "SELECT fen FROM products WHERE id = 1";
                let fen: u64 = rows.query_row(find, [], |row| row.get(0)).unwrap();
                let insert = "INSERT INTO orders (visitor, product, fen, traceparent, state)
                              VALUES (1, 1, ?1, '', 'created')";
                rows.execute(insert, [fen]).unwrap();
                rows.commit().unwrap();
            }
        };
        std::thread::scope(|threads| {
            for _ in 0..3 {
                threads.spawn(buy);
            }
        });
        let db = connect(dir.path(), Duration::ZERO).unwrap();
        let orders: u64 = db
            .query_row("SELECT count(*) FROM orders", [], |r| r.get(0))
            .unwrap();
        assert_eq!(orders, 150);
    }
}
