//! Serializes the parts of an object or a list into a tree.

use crate::redact::Treatment;
use crate::serialize::{Stop, bare};
use crate::tree::{Tree, Value};
use serde_core::ser::{self, Serialize};

/// An object or a list that is being serialized.
pub(crate) struct Compound<'t> {
    tree: &'t mut Tree,
    /// What was open before it.
    depth: usize,
    kind: Kind,
    /// What becomes of the value whose key is written.
    value: Option<Value>,
}

enum Kind {
    Shown,
    /// Too deep, or a secret: its values are not looked at.
    Skipped,
    Number,
}

impl<'t> Compound<'t> {
    pub(crate) fn open(tree: &'t mut Tree, open: u8, close: u8) -> Result<Self, Stop> {
        let depth = tree.depth();
        let kind = if tree.open(open, close)? {
            Kind::Shown
        } else {
            Kind::Skipped
        };
        Ok(Compound {
            tree,
            depth,
            kind,
            value: None,
        })
    }

    /// `{"name":` around an object or a list; both are closed at once.
    pub(crate) fn nest(
        tree: &'t mut Tree,
        name: &str,
        (open, close): (u8, u8),
    ) -> Result<Self, Stop> {
        let mut outer = Compound::open(tree, b'{', b'}')?;
        if !outer.begin(name)? {
            return Ok(outer);
        }
        let Compound { tree, depth, .. } = outer;
        let inner = Compound::open(tree, open, close)?;
        Ok(Compound { depth, ..inner })
    }

    pub(crate) fn number(tree: &'t mut Tree) -> Self {
        Compound {
            depth: tree.depth(),
            tree,
            kind: Kind::Number,
            value: None,
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        if !matches!(self.kind, Kind::Shown) {
            return Ok(());
        }
        self.tree.item()?;
        value.serialize(&mut *self.tree)
    }

    pub(crate) fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), Stop> {
        match self.kind {
            Kind::Skipped => Ok(()),
            Kind::Shown => {
                let what = self.tree.key(name)?;
                self.show(what, value)
            }
            Kind::Number => {
                let text = bare(value);
                let json = crate::valid::is_json(&text) && !text.starts_with(['"', '[', '{']);
                if json {
                    self.tree.scalar(&text)?;
                } else {
                    self.tree.text(&text)?;
                }
                Ok(())
            }
        }
    }

    fn show<T: Serialize + ?Sized>(&mut self, what: Value, value: &T) -> Result<(), Stop> {
        match what {
            Value::Skip => Ok(()),
            Value::Show => value.serialize(&mut *self.tree),
            Value::Hash(treatment) => self.hash(&treatment, &bare(value)),
        }
    }

    fn hash(&mut self, treatment: &Treatment, value: &str) -> Result<(), Stop> {
        Ok(self
            .tree
            .text(&treatment.apply(value).unwrap_or_default())?)
    }

    /// Begins a field whose value is an object or a list. False if nothing of it is shown.
    fn begin(&mut self, name: &str) -> Result<bool, Stop> {
        if !matches!(self.kind, Kind::Shown) {
            return Ok(false);
        }
        match self.tree.key(name)? {
            Value::Show => return Ok(true),
            // Its value comes in parts that cannot be hashed as one: it is masked.
            Value::Hash(_) => self.tree.text(Treatment::MASKED)?,
            Value::Skip => {}
        }
        self.kind = Kind::Skipped;
        Ok(false)
    }

    pub(crate) fn end(self) -> Result<(), Stop> {
        self.tree.close(self.depth);
        Ok(())
    }
}

impl ser::SerializeSeq for Compound<'_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.item(value)
    }
    fn end(self) -> Result<(), Stop> {
        self.end()
    }
}

impl ser::SerializeTuple for Compound<'_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.item(value)
    }
    fn end(self) -> Result<(), Stop> {
        self.end()
    }
}

impl ser::SerializeTupleStruct for Compound<'_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.item(value)
    }
    fn end(self) -> Result<(), Stop> {
        self.end()
    }
}

impl ser::SerializeTupleVariant for Compound<'_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.item(value)
    }
    fn end(self) -> Result<(), Stop> {
        self.end()
    }
}

impl ser::SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Stop;
    /// What is no string is written as one, as JSON demands.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stop> {
        self.value = match self.kind {
            Kind::Shown => Some(self.tree.key(&bare(key))?),
            Kind::Skipped | Kind::Number => Some(Value::Skip),
        };
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        let what = self.value.take().ok_or(Stop::Failed)?;
        self.show(what, value)
    }
    fn end(self) -> Result<(), Stop> {
        self.end()
    }
}

impl ser::SerializeStruct for Compound<'_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        self.field(key, value)
    }
    fn end(self) -> Result<(), Stop> {
        self.end()
    }
}

impl ser::SerializeStructVariant for Compound<'_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        self.field(key, value)
    }
    fn end(self) -> Result<(), Stop> {
        self.end()
    }
}
