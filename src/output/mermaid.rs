//! Sequence diagrams in Mermaid's language, for a page or an issue.
//! Source: Mermaid documentation, "Sequence diagrams".

use std::io::{self, Write};

use super::text::escape::is_dangerous;

/// One event of a diagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceMessage {
    /// Whose event caused it; `None` where no cause is known.
    pub from: Option<String>,
    /// Who published it.
    pub to: String,
    /// The text on the arrow.
    pub text: String,
    /// Whether it failed.
    pub failed: bool,
}

/// Writes the diagram.
///
/// # Errors
/// Those of `output`.
pub fn write_mermaid(messages: &[SequenceMessage], output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "sequenceDiagram")?;
    let mut services: Vec<&str> = Vec::new();
    for service in messages
        .iter()
        .flat_map(|message| message.from.as_deref().into_iter().chain([message.to.as_str()]))
    {
        if !services.contains(&service) {
            services.push(service);
            writeln!(output, "  participant {} as {}", alias(services.len()), escaped(service))?;
        }
    }
    let number = |service: &str| {
        alias(1 + services.iter().position(|other| *other == service).unwrap_or_default())
    };
    for message in messages {
        let to = number(&message.to);
        let text = escaped(&message.text);
        match &message.from {
            Some(from) => {
                let arrow = if message.failed { "-x" } else { "->>" };
                writeln!(output, "  {}{arrow}{to}: {text}", number(from))?;
            }
            None => writeln!(output, "  Note over {to}: {text}")?,
        }
    }
    Ok(())
}

fn alias(number: usize) -> String {
    format!("s{number}")
}

/// `#` and `;` mean something to Mermaid, `<` to the page around it; a line break ends the
/// statement.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '#' | ';' | '<' | '>' | '&' | '"' | ':' => {
                escaped.push_str(&format!("#{};", u32::from(character)));
            }
            dangerous if is_dangerous(dangerous) => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagram_has_its_services_and_messages_in_order() {
        let message = |from: Option<&str>, to: &str, text: &str, failed| SequenceMessage {
            from: from.map(str::to_owned),
            to: to.to_owned(),
            text: text.to_owned(),
            failed,
        };
        let messages = [
            message(None, "order-service", "OrderCreated", false),
            message(Some("order-service"), "payment-service", "Payment;<b>#\nDeclined", true),
        ];
        let mut output = Vec::new();
        write_mermaid(&messages, &mut output).expect("writing to memory");
        insta::assert_snapshot!(String::from_utf8(output).expect("UTF-8"), @r#"
sequenceDiagram
  participant s1 as order-service
  participant s2 as payment-service
  Note over s1: OrderCreated
  s1-xs2: Payment#59;#60;b#62;#35; Declined
"#);
    }
}
