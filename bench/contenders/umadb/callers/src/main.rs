//! Concurrent callers that append to UmaDB, each again as soon as it has its answer.
//!
//! `umadb-callers <host:port>` reads one line per run from its input, `<callers> <milliseconds> <run>`, and answers with
//! one line: the elapsed milliseconds, then the duration of each call in milliseconds, or `failed: <reason>`.
//! The process ends with its input.

mod request;

use std::cell::Cell;
use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead, Write as _};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

type Failure = Box<dyn Error>;

/// The server accepts a limited number of concurrent calls on a connection.
const CONNECTIONS: usize = 4;

fn main() -> Result<(), Failure> {
    let address = std::env::args().nth(1).ok_or("usage: umadb-callers <host:port>")?;
    // One thread is enough, and leaves the other cores to the server.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let tasks = LocalSet::new();
    let uri = format!("http://{address}/umadb.v1.DCB/Append");
    let numbers = Rc::new(Cell::new(0));
    for line in std::io::stdin().lock().lines() {
        let run = Run { line: line?, uri: uri.clone(), numbers: numbers.clone() };
        let answer = match tasks.block_on(&runtime, connect_and_measure(&address, run)) {
            Ok(answer) => answer,
            Err(error) => format!("failed: {error}"),
        };
        let mut output = std::io::stdout().lock();
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

/// Each run connects again: nothing answers the server's pings between runs, and it closes such connections.
async fn connect_and_measure(address: &str, run: Run) -> Result<String, Failure> {
    let connections = connect_all(address).await?;
    measure(&connections, run).await
}

async fn connect_all(address: &str) -> Result<Vec<SendRequest<Bytes>>, Failure> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        // The server answers each append with a small frame. The library would take many of them for an attack.
        let (sender, connection) =
            h2::client::Builder::new().data_frame_budget(u32::MAX as usize).handshake(stream).await?;
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                eprintln!("a connection to UmaDB ended: {error}");
            }
        });
        connections.push(sender);
    }
    Ok(connections)
}

struct Run {
    line: String,
    uri: String,
    /// The number of the next event; it makes tags and ids unique.
    numbers: Rc<Cell<u64>>,
}

async fn measure(connections: &[SendRequest<Bytes>], run: Run) -> Result<String, Failure> {
    let mut words = run.line.split(' ');
    let (Some(callers), Some(milliseconds), Some(name)) = (words.next(), words.next(), words.next()) else {
        return Err("expected <callers> <milliseconds> <run>".into());
    };
    let callers: usize = callers.parse()?;
    let start = Instant::now();
    let end = start + Duration::from_millis(milliseconds.parse()?);
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let sender = connections[caller % CONNECTIONS].clone();
            let (uri, name, numbers) = (run.uri.clone(), name.to_owned(), run.numbers.clone());
            tokio::task::spawn_local(async move {
                call_until(end, sender, &uri, &name, &numbers).await.map_err(|error| error.to_string())
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    Ok(answer_of(start.elapsed(), &times))
}

fn answer_of(elapsed: Duration, times: &[Duration]) -> String {
    let mut answer = String::with_capacity(8 * times.len());
    for time in std::iter::once(&elapsed).chain(times) {
        let _ = write!(answer, "{:.3} ", time.as_secs_f64() * 1_000.0);
    }
    answer.truncate(answer.trim_end().len());
    answer
}

async fn call_until(
    end: Instant,
    mut sender: SendRequest<Bytes>,
    uri: &str,
    name: &str,
    numbers: &Cell<u64>,
) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::new();
    let mut now = Instant::now();
    while now < end {
        let number = numbers.replace(numbers.get() + 1);
        sender = append(sender, uri, &format!("{name}-{number}"), number).await?;
        let done = Instant::now();
        times.push(done - now);
        now = done;
    }
    Ok(times)
}

/// One unary call. Fails unless its status is OK.
async fn append(
    sender: SendRequest<Bytes>,
    uri: &str,
    tag: &str,
    number: u64,
) -> Result<SendRequest<Bytes>, Failure> {
    let mut sender = sender.ready().await?;
    let request = Request::post(uri)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())?;
    let (response, mut stream) = sender.send_request(request, false)?;
    stream.send_data(request::append_frame(tag, number), true)?;
    let response = response.await?;
    // A server that fails at once sends the status with the headers.
    let mut status = response.headers().get("grpc-status").cloned();
    let mut body = response.into_body();
    while let Some(piece) = body.data().await {
        body.flow_control().release_capacity(piece?.len())?;
    }
    if let Some(trailers) = body.trailers().await? {
        status = trailers.get("grpc-status").cloned().or(status);
    }
    match status {
        Some(code) if code == "0" => Ok(sender),
        other => Err(format!("an append to UmaDB ended with gRPC status {other:?}").into()),
    }
}
