//! The servers to try: `host`, `hostaddr` and `port`, each of which can be a list.

use std::fmt;
use std::net::IpAddr;

use super::sourced_values::SourcedValues;
use crate::store::error::Error;

/// The port of a server that names none.
const DEFAULT_PORT: u16 = 5432;

/// One place where the database may be. `Debug` shows no password.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::store) struct Server {
    /// The name of the host, or the folder of its socket.
    pub(in crate::store) host: String,
    /// Where it is, if that is not to be looked up by its name.
    pub(in crate::store) address: Option<IpAddr>,
    pub(in crate::store) port: u16,
    /// The password that the password file has for it.
    pub(in crate::store) password: Option<String>,
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

impl Server {
    /// Whether it is reached by a socket in the file system.
    pub(in crate::store) fn is_socket(&self) -> bool {
        self.host.starts_with('/') && self.address.is_none()
    }
}

/// Reads the lists: as many addresses as hosts, and one port for all or as many.
///
/// # Errors
/// That of [`SourcedValues::refused`] where one can't be read, or they don't go together.
pub(super) fn read(values: &SourcedValues) -> Result<Vec<Server>, Error> {
    let list =
        |name| values.text(name).map(|text| text.split(',').map(str::trim).collect::<Vec<_>>());
    let addresses = list("hostaddr").unwrap_or_default();
    let hosts = list("host").unwrap_or_else(|| match addresses.len() {
        0 => vec!["localhost"],
        count => vec![""; count],
    });
    let ports = list("port").unwrap_or_default();
    let disagree = |name: &str, count: usize| {
        let hosts = hosts.len();
        let reason = format!("names {count}, and host {hosts}; there is one for each");
        values.refused(name, &reason)
    };
    if !addresses.is_empty() && addresses.len() != hosts.len() {
        return Err(disagree("hostaddr", addresses.len()));
    }
    if ports.len() > 1 && ports.len() != hosts.len() {
        return Err(disagree("port", ports.len()));
    }
    let server = |(place, host): (usize, &&str)| {
        let address = addresses.get(place).filter(|address| !address.is_empty());
        let address = address.map(|address| read_address(values, address)).transpose()?;
        let host = match (host.is_empty(), address) {
            (false, _) => (*host).to_owned(),
            (true, Some(address)) => address.to_string(),
            (true, None) => "localhost".to_owned(),
        };
        let port = ports.get(place).or(ports.first()).copied().unwrap_or_default();
        Ok(Server { host, address, port: read_port(values, port)?, password: None })
    };
    hosts.iter().enumerate().map(server).collect()
}

fn read_address(values: &SourcedValues, text: &str) -> Result<IpAddr, Error> {
    text.parse().map_err(|_| values.refused("hostaddr", &format!("'{text}' is no IP address")))
}

fn read_port(values: &SourcedValues, text: &str) -> Result<u16, Error> {
    if text.is_empty() {
        return Ok(DEFAULT_PORT);
    }
    let port = text.parse::<u16>().ok().filter(|port| *port > 0);
    port.ok_or_else(|| values.refused("port", &format!("'{text}' is no port number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(text: &str) -> Result<String, String> {
        let read = SourcedValues::of_text(text).and_then(|values| read(&values));
        let servers = read.map_err(|error| error.to_string())?;
        Ok(servers
            .iter()
            .map(|server| match server.address {
                Some(address) => format!("{server}@{address}"),
                None => server.to_string(),
            })
            .collect::<Vec<_>>()
            .join(" "))
    }

    #[test]
    fn hosts_addresses_and_ports_go_together() {
        let cases = [
            ("", "localhost:5432"),
            ("host=a,b port=1,2", "a:1 b:2"),
            ("host=a,b port=7", "a:7 b:7"),
            ("host=a,b,c port=1,,3", "a:1 b:5432 c:3"),
            ("host=a,,/run port=1", "a:1 localhost:1 /run:1"),
            ("hostaddr=127.0.0.1,::1 port=1", "127.0.0.1:1@127.0.0.1 ::1:1@::1"),
            ("host=a,b hostaddr=10.0.0.1,", "a:5432@10.0.0.1 b:5432"),
            ("postgresql://a:1,b/d", "a:1 b:5432"),
        ];
        for (text, expected) in cases {
            assert_eq!(servers(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_told() {
        let cases = [
            ("host=a,b port=1,2,3", "port names 3, and host 2; there is one for each"),
            ("host=a hostaddr=::1,::2", "hostaddr names 2, and host 1; there is one for each"),
            ("hostaddr=localhost", "hostaddr 'localhost' is no IP address"),
            ("port=0", "port '0' is no port number"),
            ("port=abc", "port 'abc' is no port number"),
        ];
        for (text, expected) in cases {
            assert_eq!(servers(text), Err(format!("database URL: {expected}")), "{text}");
        }
    }
}
