//! The schemas of the two services' events, as their files have them.

use schema_registry_converter::schema_registry_common::{
    SchemaType, SuppliedReference, SuppliedSchema,
};

/// The schemas of one service's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventSchemas {
    /// Those of the order service.
    Orders,
    /// Those of the payment service.
    Payments,
}

/// A file that others refer to, under this name.
pub(crate) struct Referenced {
    pub(crate) name: &'static str,
    pub(crate) schema: &'static str,
}

pub(crate) const AMOUNT: Referenced =
    Referenced { name: "com.acme.money.Amount", schema: include_str!("../../schemas/amount.avsc") };

pub(crate) const MONEY: Referenced =
    Referenced { name: "acme/money.proto", schema: include_str!("../../schemas/money.proto") };

impl EventSchemas {
    /// The Avro schema, which refers to [`AMOUNT`].
    pub(crate) fn avro(self) -> &'static str {
        match self {
            Self::Orders => include_str!("../../schemas/order_event.avsc"),
            Self::Payments => include_str!("../../schemas/payment_event.avsc"),
        }
    }

    /// The name of its record.
    pub(crate) fn record(self) -> &'static str {
        match self {
            Self::Orders => "com.acme.orders.OrderEvent",
            Self::Payments => "com.acme.payments.PaymentEvent",
        }
    }

    /// The Protobuf schema, which imports [`MONEY`].
    pub(crate) fn protobuf(self) -> &'static str {
        match self {
            Self::Orders => include_str!("../../schemas/order_event.proto"),
            Self::Payments => include_str!("../../schemas/payment_event.proto"),
        }
    }

    /// The name of its message.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Orders => "acme.orders.OrderEvent",
            Self::Payments => "acme.payments.PaymentEvent",
        }
    }

    /// The Avro schema with its reference, as it is registered.
    pub(crate) fn supplied_avro(self) -> SuppliedSchema {
        let supplied = SuppliedSchema::new(
            Some(self.record().to_owned()),
            SchemaType::Avro,
            self.avro().to_owned(),
        );
        referring(supplied, &AMOUNT)
    }

    /// The Protobuf schema with its import, as it is registered.
    pub(crate) fn supplied_protobuf(self) -> SuppliedSchema {
        let supplied = SuppliedSchema::new(
            Some(self.message().to_owned()),
            SchemaType::Protobuf,
            self.protobuf().to_owned(),
        );
        referring(supplied, &MONEY)
    }
}

fn referring(schema: SuppliedSchema, referenced: &Referenced) -> SuppliedSchema {
    let Referenced { name, schema: text } = referenced;
    let reference =
        SuppliedReference::new((*name).to_owned(), (*name).to_owned(), (*text).to_owned());
    schema.with_references(vec![reference])
}
