//! Answers monitoring by HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::exposition::Exposition;
use crate::ingest::counters::{Counters, Wait};
use crate::ingest::error::Error;
use crate::ingest::settings::ListenAddress;

/// How many requests are answered at once; others wait.
const MOST_CONNECTIONS: usize = 16;
/// How long a connection may last: it carries one request.
const CONNECTION_LIMIT: Duration = Duration::from_secs(10);
/// How long nothing is accepted after that failed: no file descriptor is free, for instance.
const PAUSE: Duration = Duration::from_millis(200);

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
const METRICS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Where monitoring asks.
pub(in crate::ingest) struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
}

impl Endpoint {
    /// Begins to listen, and logs where.
    ///
    /// # Errors
    /// `Error::Listen`.
    pub(in crate::ingest) async fn bind(address: &ListenAddress) -> Result<Self, Error> {
        let failed = |source| Error::Listen { address: address.to_string(), source };
        let listener =
            TcpListener::bind((address.host.as_str(), address.port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        tracing::info!("answering http://{address}/metrics, /healthz and /readyz");
        Ok(Self { listener, address })
    }

    /// Answers for ever.
    pub(in crate::ingest) async fn serve(self, counters: Arc<Counters>) {
        let exposition = Arc::new(Exposition::new(&counters));
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        // It fails only where the semaphore is closed, which nobody does.
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::debug!(%error, address = %self.address, "accepting fails");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let (counters, exposition) = (Arc::clone(&counters), Arc::clone(&exposition));
            tokio::spawn(async move {
                let answering = answer_one(stream, &counters, &exposition);
                // Who asks too slowly, or goes away, gets no answer.
                let _ = tokio::time::timeout(CONNECTION_LIMIT, answering).await;
                drop(place);
            });
        }
    }
}

async fn answer_one(
    stream: TcpStream,
    counters: &Counters,
    exposition: &Exposition,
) -> hyper::Result<()> {
    let service = service_fn(async |request: Request<Incoming>| {
        answer(request.method(), request.uri().path(), counters, exposition)
    });
    http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await
}

fn answer(
    method: &Method,
    path: &str,
    counters: &Counters,
    exposition: &Exposition,
) -> Result<Response<String>, std::fmt::Error> {
    let (status, content_type, text) = match path {
        "/metrics" => (StatusCode::OK, METRICS_TEXT, exposition.text()?),
        // That it is answered says it: the answer comes of the threads that write.
        "/healthz" => (StatusCode::OK, PLAIN_TEXT, "alive\n".to_owned()),
        "/readyz" => {
            let waits: Vec<_> = counters.not_ready_for().into_iter().map(Wait::as_str).collect();
            if waits.is_empty() {
                (StatusCode::OK, PLAIN_TEXT, "ready\n".to_owned())
            } else {
                let text = format!("not ready: waiting for {}\n", waits.join(", "));
                (StatusCode::SERVICE_UNAVAILABLE, PLAIN_TEXT, text)
            }
        }
        _ => (StatusCode::NOT_FOUND, PLAIN_TEXT, "/metrics, /healthz or /readyz\n".to_owned()),
    };
    let mut response = Response::new(text);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if !matches!(*method, Method::GET | Method::HEAD) {
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        *response.body_mut() = String::new();
    }
    Ok(response)
}
