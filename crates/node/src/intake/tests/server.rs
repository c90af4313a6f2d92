//! A web server on loopback that answers each path with the bytes that a test sets, and notes who asked for what.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How a path answers.
#[derive(Clone)]
pub(super) enum Answer {
    /// With these bytes, head and all, and then the end of the connection.
    Bytes(Vec<u8>),
    /// Not at all, while the asker waits.
    Silence,
}

impl Answer {
    pub(super) fn ok(body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len();
        Self::with_head(&format!("200 OK\r\nContent-Length: {length}"), body)
    }

    pub(super) fn status(status: u16) -> Self {
        Self::with_head(&format!("{status} Said\r\nContent-Length: 6"), "maaf!!")
    }

    pub(super) fn redirect(to: &str) -> Self {
        Self::with_head(
            &format!("302 Found\r\nLocation: {to}\r\nContent-Length: 0"),
            "",
        )
    }

    /// The body is sent as it is, so that it can be a wrong one.
    pub(super) fn chunked(body: impl Into<Vec<u8>>) -> Self {
        Self::with_head("200 OK\r\nTransfer-Encoding: chunked", body)
    }

    pub(super) fn silent() -> Self {
        Self::Silence
    }

    /// Declares another length than the body has.
    pub(super) fn declared(self, length: usize) -> Self {
        let Self::Bytes(bytes) = self else {
            return self;
        };
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let (before, _) = head.split_once("Content-Length").unwrap();
        Self::Bytes(
            format!("{before}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
                .into_bytes(),
        )
    }

    pub(super) fn with_head(head: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut bytes = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").into_bytes();
        bytes.extend(body.into());
        Self::Bytes(bytes)
    }
}

#[derive(Default)]
struct State {
    answers: HashMap<String, Answer>,
    hits: HashMap<String, usize>,
    agents: Vec<String>,
}

/// The server; it stops when dropped.
pub(super) struct Server {
    address: std::net::SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self {
            address,
            state,
            task,
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn answer(&self, path: &str, answer: Answer) {
        self.state
            .lock()
            .unwrap()
            .answers
            .insert(path.into(), answer);
    }

    pub(super) fn hits(&self, path: &str) -> usize {
        self.state
            .lock()
            .unwrap()
            .hits
            .get(path)
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn agents(&self) -> Vec<String> {
        self.state.lock().unwrap().agents.clone()
    }

    pub(super) async fn stop(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let agent = request.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("user-agent: ")
            .map(str::to_owned)
    });
    let answer = {
        let mut state = state.lock().unwrap();
        *state.hits.entry(path.clone()).or_default() += 1;
        state.agents.push(agent.unwrap_or_default());
        state
            .answers
            .get(&path)
            .cloned()
            .unwrap_or_else(|| Answer::status(404))
    };
    match answer {
        Answer::Bytes(bytes) => {
            // The asker may hang up in the middle of what is too much for it.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            let _ = stream.read_u8().await;
        }
        Answer::Silence => {
            let _ = stream.read_u8().await;
        }
    }
}
