//! A TCP proxy on the loopback interface whose connections a test can cut, freeze and slow down.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::error::Error;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// What a hook decides about the bytes that it is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// They go on.
    Forward,
    /// They never arrive: both sides see the connection reset.
    CutBefore,
    /// They arrive, and nothing after them: then both sides see the connection reset. A server has
    /// done by then what it was asked, and the client can't know.
    CutAfter,
}

/// How long a connection that is cut after a request waits for the server to act on it.
const SERVER_FINISHES_WITHIN: Duration = Duration::from_secs(10);

type Hook = Box<dyn FnMut(Direction, &[u8]) -> Verdict + Send>;

/// What one connection is told.
#[derive(Clone, Copy, Default)]
struct Orders {
    /// Goes up with each cut: a connection ends when it is another number than at its start.
    cuts: u64,
    blocked: bool,
    delay: Duration,
}

/// Forwards connections to a port of this machine. Dropping it resets all of them.
pub struct Proxy {
    port: u16,
    orders: watch::Sender<Orders>,
    hook: Arc<Mutex<Option<Hook>>>,
}

impl Proxy {
    /// Listens on a free port, and forwards each connection to `target_port`.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn start(target_port: u16) -> Result<Proxy, Error> {
        let listener =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::Proxy)?;
        listener.set_nonblocking(true).map_err(Error::Proxy)?;
        let port = listener.local_addr().map_err(Error::Proxy)?.port();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Proxy)?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener).map_err(Error::Proxy)?
        };
        let (orders, watched) = watch::channel(Orders::default());
        let hook = Arc::new(Mutex::new(None));
        let forwarder = Forwarder { target_port, orders: watched, hook: hook.clone() };
        // The thread ends, and resets what is open, when the sender of orders is dropped.
        std::thread::spawn(move || runtime.block_on(forwarder.accept(listener)));
        Ok(Proxy { port, orders, hook })
    }

    /// The port to connect to, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Resets all connections that are open now. New ones are forwarded as before.
    pub fn cut(&self) {
        self.orders.send_modify(|orders| orders.cuts += 1);
    }

    /// From now on nothing is forwarded: connections stay open, new ones too, and are silent, as
    /// behind a router that drops packets.
    pub fn block(&self) {
        self.orders.send_modify(|orders| orders.blocked = true);
    }

    /// Forwards again, and first what was held back.
    pub fn unblock(&self) {
        self.orders.send_modify(|orders| orders.blocked = false);
    }

    /// Holds back each piece of data for this long, in both directions.
    pub fn delay(&self, delay: Duration) {
        self.orders.send_modify(|orders| orders.delay = delay);
    }

    /// Shows `hook` each piece of data before it is forwarded, until its first verdict that is not
    /// [`Verdict::Forward`]: then that connection is cut, and the hook is done. A piece is what one
    /// read gave, up to 64 KiB.
    pub fn cut_when(&self, hook: impl FnMut(Direction, &[u8]) -> Verdict + Send + 'static) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(hook));
    }

    /// Once, when a client sends a piece of data that contains `pattern`: lets it reach the server
    /// and cuts the connection on the answer. `b"COMMIT"` makes a commit whose outcome the client
    /// can't know.
    pub fn cut_reply_to(&self, pattern: &'static [u8]) {
        self.cut_when(on_request(pattern, Verdict::CutAfter));
    }

    /// Once, when a client sends a piece of data that contains `pattern`: cuts the connection
    /// before it reaches the server.
    pub fn cut_before(&self, pattern: &'static [u8]) {
        self.cut_when(on_request(pattern, Verdict::CutBefore));
    }

    /// Whether a hook still waits for its moment.
    pub fn is_waiting_to_cut(&self) -> bool {
        self.hook.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Proxy").field("port", &self.port).finish_non_exhaustive()
    }
}

fn on_request(pattern: &'static [u8], verdict: Verdict) -> impl FnMut(Direction, &[u8]) -> Verdict {
    move |direction, bytes| {
        let is_it = direction == Direction::ToServer
            && bytes.windows(pattern.len()).any(|part| part == pattern);
        if is_it { verdict } else { Verdict::Forward }
    }
}

#[derive(Clone)]
struct Forwarder {
    target_port: u16,
    orders: watch::Receiver<Orders>,
    hook: Arc<Mutex<Option<Hook>>>,
}

/// Why a connection is cut.
enum Cut {
    Both,
    /// Only once the server has done what it was asked.
    AfterRequest,
}

impl Forwarder {
    async fn accept(mut self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((client, _)) = accepted {
                        connections.spawn(self.clone().forward(client));
                    }
                }
                Some(_) = connections.join_next() => {}
                changed = self.orders.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
            }
        }
        // The proxy was dropped, which each connection sees, too.
        connections.join_all().await;
    }

    async fn forward(self, mut client: TcpStream) {
        let cuts = self.orders.borrow().cuts;
        let mut orders = self.orders.clone();
        let connect = async {
            let mut orders = self.orders.clone();
            orders.wait_for(|orders| !orders.blocked).await.ok()?;
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.target_port)).await.ok()
        };
        let connected = tokio::select! {
            connected = connect => connected,
            _ = orders.wait_for(|orders| orders.cuts != cuts) => None,
        };
        let Some(mut server) = connected else { return reset(&client) };
        // Where it can't be set, small messages are only slower.
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        let ended = {
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            let pumps = async {
                tokio::try_join!(
                    self.pump(Direction::ToServer, from_client, to_server),
                    self.pump(Direction::ToClient, from_server, to_client),
                )
            };
            tokio::select! {
                ended = pumps => ended,
                // Also when the proxy is dropped: then this is an error.
                _ = orders.wait_for(|orders| orders.cuts != cuts) => Err(Cut::Both),
            }
        };
        match ended {
            // Both sides ended as TCP connections do.
            Ok(_) => return,
            Err(Cut::Both) => {}
            Err(Cut::AfterRequest) => {
                // A reset could overtake the request. The end of the stream comes after it; the
                // server closes when it has done all before that, and its answers go nowhere.
                let _ = server.shutdown().await;
                let mut nowhere = tokio::io::sink();
                let drain = tokio::io::copy(&mut server, &mut nowhere);
                let _ = tokio::time::timeout(SERVER_FINISHES_WITHIN, drain).await;
            }
        }
        reset(&client);
        reset(&server);
    }

    /// Forwards one direction until its ordinary end.
    async fn pump(
        &self,
        direction: Direction,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> Result<(), Cut> {
        let mut orders = self.orders.clone();
        let mut piece = vec![0; 64 * 1024];
        loop {
            let length = from.read(&mut piece).await.map_err(|_| Cut::Both)?;
            let delay = orders.borrow().delay;
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            drop(orders.wait_for(|orders| !orders.blocked).await.map_err(|_| Cut::Both)?);
            if length == 0 {
                return to.shutdown().await.map_err(|_| Cut::Both);
            }
            let verdict = self.verdict(direction, &piece[..length]);
            if verdict == Verdict::CutBefore {
                return Err(Cut::Both);
            }
            to.write_all(&piece[..length]).await.map_err(|_| Cut::Both)?;
            match (verdict, direction) {
                (Verdict::CutAfter, Direction::ToServer) => return Err(Cut::AfterRequest),
                (Verdict::CutAfter, Direction::ToClient) => return Err(Cut::Both),
                _ => {}
            }
        }
    }

    fn verdict(&self, direction: Direction, piece: &[u8]) -> Verdict {
        let mut hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = hook.as_mut().map_or(Verdict::Forward, |hook| hook(direction, piece));
        if verdict != Verdict::Forward {
            *hook = None;
        }
        verdict
    }
}

/// Makes the close that follows a reset. Where that can't be set, the other side sees an ordinary
/// end instead.
fn reset(connection: &TcpStream) {
    let _ = connection.set_zero_linger();
}
