//! Owned messages over tokio.

use core::future::poll_fn;
use core::pin::Pin;
use core::time::Duration;
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::duplex;
use ws_stack::{Conn, Error, Message, Messages, Opcode, Role, Timeouts, Whole};

const SOON: Duration = Duration::from_secs(10);
const TIMEOUTS: Timeouts = Timeouts::new(SOON, SOON);

#[tokio::test]
async fn what_goes_into_a_sink_comes_out_of_the_stream_at_the_other_end() -> Result<(), Error> {
    let (near, far) = duplex(64 * 1024);
    let mut near = Messages::new(Conn::over(Whole(near), Role::Client), TIMEOUTS);
    let mut far = Messages::new(Conn::over(Whole(far), Role::Server), TIMEOUTS);

    let sent = [Message::text("hello"), Message::binary(vec![1, 2, 3]), Message::new(Opcode::TEXT, "again")?];
    for message in &sent {
        poll_fn(|cx| Pin::new(&mut near).poll_ready(cx)).await?;
        Pin::new(&mut near).start_send(message.clone())?;
    }
    poll_fn(|cx| Pin::new(&mut near).poll_flush(cx)).await?;
    for message in sent {
        let received = poll_fn(|cx| Pin::new(&mut far).poll_next(cx)).await;
        assert_eq!(received.expect("the connection is open")?, message);
    }
    Ok(())
}
