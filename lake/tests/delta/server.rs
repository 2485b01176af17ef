//! An S3 server on this machine, whose answers can get lost.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use lake::delta::Location;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{HttpError, HttpResponse};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

pub(crate) const KEY: &str = "key-of-the-lake";
pub(crate) const SECRET: &str = "secret-of-the-lake";

/// A server of the buckets that are folders of one folder. It ends with the process.
pub(crate) struct Server {
    address: SocketAddr,
    faults: Arc<Faults>,
}

/// What happens to requests that write a version. Each counts down.
#[derive(Default)]
struct Faults {
    /// They are carried out, and the connection is cut before the answer.
    cut: AtomicUsize,
    /// They are carried out, and answered with an error of the server.
    error: AtomicUsize,
    /// The connection is cut before they are carried out.
    refused: AtomicUsize,
    /// Whether every connection is cut before anything is carried out.
    away: AtomicBool,
    /// Whether every request is refused, as one without permission is.
    forbidden: AtomicBool,
}

impl Server {
    /// Starts a server of `folder`, with one bucket, `lake`.
    pub(crate) fn start(folder: &Path) -> Self {
        std::fs::create_dir(folder.join("lake")).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).unwrap());
        service.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = service.build();
        let faults = Arc::new(Faults::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let of_server = faults.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                serve(TcpListener::from_std(listener).unwrap(), service, of_server).await;
            });
        });
        Self { address, faults }
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets it be away, or come back.
    pub(crate) fn set_away(&self, is_away: bool) {
        self.faults.away.store(is_away, Ordering::SeqCst);
    }

    /// Lets it refuse everything from now on.
    pub(crate) fn forbid(&self) {
        self.faults.forbidden.store(true, Ordering::SeqCst);
    }

    /// The location of a table in the bucket, below `prefix`.
    pub(crate) fn location(&self, prefix: &str, secret: &str) -> Location {
        let options = [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("aws_allow_http", "true".to_owned()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
        ];
        let options = options.map(|(key, value)| (key.to_owned(), value));
        Location::parse(&format!("s3://lake/{prefix}"), &options).unwrap()
    }

    /// Carries out the next `count` writes of a version, and lets their answers get lost.
    pub(crate) fn cut(&self, count: usize) {
        self.faults.cut.store(count, Ordering::SeqCst);
    }

    /// Carries out the next `count` writes of a version, and says that they failed.
    pub(crate) fn error(&self, count: usize) {
        self.faults.error.store(count, Ordering::SeqCst);
    }

    /// Cuts the next `count` writes of a version before they are carried out.
    pub(crate) fn refuse(&self, count: usize) {
        self.faults.refused.store(count, Ordering::SeqCst);
    }
}

async fn serve(listener: TcpListener, service: S3Service, faults: Arc<Faults>) {
    // The server looks whether an object exists, then writes it. One request at a time makes that
    // one step, as it is in S3.
    let turn = Arc::new(Mutex::new(()));
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (service, faults, turn) = (service.clone(), faults.clone(), turn.clone());
        let answer = service_fn(move |request| {
            answer(request, service.clone(), faults.clone(), turn.clone())
        });
        tokio::spawn(async move {
            let connection = Builder::new(TokioExecutor::new());
            // An error here is a connection that was cut.
            let _ = connection.serve_connection(TokioIo::new(socket), answer).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    service: S3Service,
    faults: Arc<Faults>,
    turn: Arc<Mutex<()>>,
) -> Result<HttpResponse, HttpError> {
    let path = request.uri().path();
    let version = path.contains("_delta_log/") && path.ends_with(".json");
    let commit = version && request.method() == Method::PUT;
    let happens = |fault: &AtomicUsize| {
        let next = |left: usize| left.checked_sub(1);
        commit && fault.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).is_ok()
    };
    let cut = || Err(HttpError::new("cut".into()));
    if faults.forbidden.load(Ordering::SeqCst) {
        let mut refusal = HttpResponse::new(s3s::Body::empty());
        *refusal.status_mut() = StatusCode::FORBIDDEN;
        return Ok(refusal);
    }
    if faults.away.load(Ordering::SeqCst) || happens(&faults.refused) {
        return cut();
    }
    let _turn = turn.lock().await;
    let mut answer = service.call(request.map(Into::into)).await?;
    if happens(&faults.cut) {
        return cut();
    }
    if happens(&faults.error) {
        *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    Ok(answer)
}
