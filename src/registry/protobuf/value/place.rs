//! Where in a message its reader is. The path becomes a text only where somebody needs it.

use crate::event::json::put_text;

/// A message within a message within the message, and so on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    up: Option<&'a Place<'a>>,
    name: &'a str,
    at: At<'a>,
}

/// Which of a field's values.
#[derive(Debug, Clone, Copy)]
enum At<'a> {
    Alone,
    Index(usize),
    Key(&'a str),
}

impl<'a> Place<'a> {
    /// The message itself.
    pub(super) const ROOT: Place<'static> = Place { up: None, name: "", at: At::Alone };

    /// A field's only value.
    pub(super) fn field(&'a self, name: &'a str) -> Self {
        Self { up: Some(self), name, at: At::Alone }
    }

    /// A value of a repeated field.
    pub(super) fn item(&'a self, name: &'a str, index: usize) -> Self {
        Self { up: Some(self), name, at: At::Index(index) }
    }

    /// A value of a map.
    pub(super) fn entry(&'a self, name: &'a str, key: &'a str) -> Self {
        Self { up: Some(self), name, at: At::Key(key) }
    }

    /// The path: `customer.address`, `lines[3]`, `by_name["a"]`; nothing for the message itself.
    pub(super) fn path(&self) -> String {
        let mut places: Vec<&Place<'_>> = vec![];
        let mut place = Some(self);
        while let Some(Place { up: up @ Some(_), .. }) = place {
            places.extend(place);
            place = *up;
        }
        let mut path = String::new();
        for place in places.iter().rev() {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(place.name);
            match place.at {
                At::Alone => {}
                At::Index(index) => path.push_str(&format!("[{index}]")),
                At::Key(key) => {
                    path.push('[');
                    put_text(&mut path, key);
                    path.push(']');
                }
            }
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_path_names_fields_items_and_keys() {
        let lines = Place::ROOT.item("lines", 3);
        let prices = lines.entry("prices", "a\"b");
        assert_eq!(prices.field("net").path(), r#"lines[3].prices["a\"b"].net"#);
        assert_eq!(Place::ROOT.path(), "");
    }
}
