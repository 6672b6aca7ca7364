//! Timers as futures.
//!
//! Owns a timer that wakes its last poller: work may move from the request's task into its response's stream.

use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Closure<dyn FnMut()>, millis: u32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
}

/// Stops the timer when its future is dropped.
struct Timer {
    id: JsValue,
    _callback: Closure<dyn FnMut()>,
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}

/// Resolves after `millis` milliseconds. The time begins with the first poll.
pub(super) fn sleep(millis: u32) -> LocalBoxFuture<'static, ()> {
    Box::pin(async move {
        let (sender, receiver) = oneshot::channel();
        let mut sender = Some(sender);
        let callback = Closure::new(move || {
            if let Some(sender) = sender.take() {
                // The waiter is gone.
                let _gone = sender.send(());
            }
        });
        let _timer = Timer { id: set_timeout(&callback, millis), _callback: callback };
        // It cannot be canceled: the callback lives as long as this future.
        let _fired = receiver.await;
    })
}
