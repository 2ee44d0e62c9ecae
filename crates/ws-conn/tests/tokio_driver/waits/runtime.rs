use super::{W, server};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::runtime::Builder;
use ws_conn::Opcode;

/// What has to be enabled, or entered, is in the panic's message.
#[test]
fn a_runtime_without_its_timer_is_what_the_panic_is_about() {
    for (entered, missing) in [(true, "enable_time"), (false, "runtime")] {
        let ((mut receives, _), (sends, peer)) = (server(), server());
        peer.take(0);
        let sender = sends.sender();
        let calls: Vec<Pin<Box<dyn Future<Output = ()>>>> = vec![
            Box::pin(async { drop(receives.receive(&mut [0; 8], W).await) }),
            Box::pin(async { drop(sender.send(Opcode::BINARY, b"waits", W.wire).await) }),
            #[cfg(feature = "messages")]
            Box::pin(async {
                let mut messages = ws_conn::tokio::Messages::new(server().0, W);
                drop(futures_util::StreamExt::next(&mut messages).await);
            }),
        ];
        for mut call in calls {
            let runtime = Builder::new_current_thread().build().unwrap();
            let panicked = catch_unwind(AssertUnwindSafe(|| match entered {
                true => runtime.block_on(call),
                false => drop(call.as_mut().poll(&mut Context::from_waker(Waker::noop()))),
            }))
            .unwrap_err();
            let message = panicked.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panicked.downcast_ref::<&str>().copied()).unwrap();
            assert!(message.contains(missing), "{message}");
        }
    }
}
