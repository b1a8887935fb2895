//! Names the shop's customers, with what each of them keeps secret.

/// A customer: what the shop stores of them, and what only they know.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// Counts from 1; the row in the store.
    pub(crate) id: u64,
    pub(crate) nickname: String,
    pub(crate) phone: String,
    pub(crate) password: String,
}

/// How many customers there are.
pub(crate) const PEOPLE: u64 = 48;

/// The customer with this number, from 1 to [`PEOPLE`].
pub(crate) fn person(id: u64) -> Person {
    let family = FAMILY[(id % FAMILY.len() as u64) as usize];
    let given = GIVEN[(id / 3 % GIVEN.len() as u64) as usize];
    Person {
        id,
        nickname: format!("{family}{given}"),
        phone: format!("139{:08}", id.wrapping_mul(2_654_435_761) % 100_000_000),
        password: format!("春眠不觉晓-{}", id.wrapping_mul(48_271) % 65_537),
    }
}

const FAMILY: [&str; 8] = ["王", "李", "张", "刘", "陈", "杨", "赵", "欧阳"];
const GIVEN: [&str; 7] = ["小满", "子涵", "雨桐", "浩然", "思源", "一诺", "Lily"];
