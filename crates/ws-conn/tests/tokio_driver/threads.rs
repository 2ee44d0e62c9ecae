//! Many tasks of several threads on one connection: frames whole, the order of each task kept, nobody left behind.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use ws_conn::tokio::{Conn, Sender, Transport, Whole};
use ws_conn::{CloseCode, Opcode, Role, Timeouts};

/// Longer than any of these tests takes: who waits that long waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);
const T: Timeouts = Timeouts::new(PATIENCE, PATIENCE);
const TASKS: usize = 64;
const MESSAGES: usize = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_share_a_sender_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    many_tasks(listener.accept().await.unwrap().0, theirs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_share_a_sender_over_a_duplex() {
    let (ours, theirs) = tokio::io::duplex(1000);
    many_tasks(Whole(ours), Whole(theirs)).await;
}

/// Both sides have many tasks that send, each its messages one after the other, and one that receives.
async fn many_tasks<A, B>(ours: A, theirs: B)
where
    A: Transport<Read: Send + 'static, Write: Send + 'static>,
    B: Transport<Read: Send + 'static, Write: Send + 'static>,
{
    let server = tokio::spawn(side(Conn::over(ours, Role::Server)));
    let client = tokio::spawn(side(Conn::over(theirs, Role::Client)));
    let both = async { (server.await.unwrap(), client.await.unwrap()) };
    timeout(2 * PATIENCE, both).await.expect("somebody waits for ever");
}

async fn side<R, W>(mut conn: Conn<R, W>)
where
    R: tokio::io::AsyncRead + Unpin + Send + 'static,
    W: tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let waiting: Arc<AtomicUsize> = Arc::default();
    for task in 0..TASKS {
        tasks.spawn(speak(task, conn.sender(), Arc::clone(&waiting)));
    }
    let sender = conn.sender();
    let end = tokio::spawn(async move {
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        sender.send(Opcode::TEXT, b"the end", PATIENCE).await.unwrap();
    });

    let mut next = [0; TASKS];
    loop {
        let message = timeout(PATIENCE, conn.message(T)).await.expect("somebody waits for ever").unwrap();
        if message.text() == Some("the end") {
            break;
        }
        let (task, count) = (usize::from(message[0]), usize::from(message[1]));
        assert!(message[2..].iter().all(|byte| usize::from(*byte) == task), "torn");
        assert_eq!(next[task], count, "task {task}: lost, twice, or not in order");
        next[task] += 1;
    }
    assert_eq!(next, [MESSAGES; TASKS]);
    end.await.unwrap();
    let finished = timeout(PATIENCE, conn.finish(CloseCode::NORMAL, "", Duration::from_secs(20))).await;
    assert_eq!(finished.unwrap().unwrap().0, CloseCode::NORMAL);
}

async fn speak<W: tokio::io::AsyncWrite + Unpin>(task: usize, sender: Sender<W>, ready: Arc<AtomicUsize>) {
    // Nobody begins before all are there.
    ready.fetch_add(1, Ordering::SeqCst);
    while ready.load(Ordering::SeqCst) < TASKS {
        tokio::task::yield_now().await;
    }
    for count in 0..MESSAGES {
        let mut message = vec![task as u8, count as u8];
        message.resize(2 + (task * 37 + count * 101) % 4000, task as u8);
        match (task + count) % 4 {
            0 => sender.feed(Opcode::BINARY, &message, PATIENCE).await.unwrap(),
            1 => {
                let mut writer = sender.send_stream(Opcode::BINARY, PATIENCE).await.unwrap();
                for fragment in message.chunks(700) {
                    writer.write_chunk(fragment).await.unwrap();
                    sender.send(Opcode::PING, &[task as u8], PATIENCE).await.unwrap();
                }
                writer.finish().await.unwrap();
            }
            _ => sender.send(Opcode::BINARY, &message, PATIENCE).await.unwrap(),
        }
    }
    sender.flush(PATIENCE).await.unwrap();
}
