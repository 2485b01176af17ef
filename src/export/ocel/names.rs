//! The names of objects: `aggregate:order-17`, `correlation:1f0c…`.

use std::collections::HashMap;

use uuid::Uuid;

use crate::store::{ObjectId, ObjectKind};

/// Gives each object one name, whichever of its rows it is asked for.
///
/// The name is the id as it came. A row may not tell the text that the id of its object was made
/// of, where another row of the same object does: only these texts are kept.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<(ObjectKind, Uuid), String>);

/// The word for a kind of objects.
pub(super) fn of_kind(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Aggregate => "aggregate",
        ObjectKind::Correlation => "correlation",
    }
}

impl Names {
    /// What two rows tell about one object. No two texts make the same id, so that one of them has
    /// the text, or both have the same.
    pub(super) fn joined(&mut self, kind: ObjectKind, one: ObjectId, other: ObjectId) -> ObjectId {
        let is_told_once = one.text.is_some() != other.text.is_some();
        let told = if one.text.is_some() { one } else { other };
        if let (true, Some(text)) = (is_told_once, &told.text) {
            self.0.insert((kind, told.id), text.clone());
        }
        told
    }

    /// The name of an object.
    pub(super) fn of_object(&self, kind: ObjectKind, object: &ObjectId) -> String {
        let text = object.text.as_ref().or_else(|| self.0.get(&(kind, object.id)));
        match text {
            Some(text) => format!("{}:{text}", of_kind(kind)),
            None => format!("{}:{}", of_kind(kind), object.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::aggregate_uuid;

    #[test]
    fn an_object_has_one_name_whichever_row_names_it() {
        let id = aggregate_uuid(b"order-17");
        let with = ObjectId { id, text: Some("order-17".to_owned()) };
        let without = ObjectId { id, text: None };
        for [one, other] in [[&with, &without], [&without, &with]] {
            let mut names = Names::default();
            let joined = names.joined(ObjectKind::Aggregate, one.clone(), other.clone());
            let shown = [one, other, &joined].map(|id| names.of_object(ObjectKind::Aggregate, id));
            assert_eq!(shown, ["aggregate:order-17"; 3]);
            // What has the same id by another kind is another object.
            assert_eq!(
                names.of_object(ObjectKind::Correlation, &without),
                format!("correlation:{id}")
            );
        }
    }

    #[test]
    fn nothing_is_kept_of_objects_whose_rows_agree() {
        let id = aggregate_uuid(b"order-17");
        for text in [Some("order-17".to_owned()), None] {
            let mut names = Names::default();
            let object = ObjectId { id, text };
            assert_eq!(names.joined(ObjectKind::Aggregate, object.clone(), object.clone()), object);
            assert!(names.0.is_empty());
        }
    }
}
