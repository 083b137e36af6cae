// SPDX-License-Identifier: BSL-1.0
// A unary call of gRPC that a coroutine awaits, and the queue by which gRPC tells of its end.
// Needs gRPC, Boost.Asio and threads.
#pragma once

#include "../../asio/workers.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <grpc/support/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/slice.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/status_code_enum.h>

#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace healthz::detail {

/// The process's queue of calls that have ended, and its one thread, which gRPC needs. Neither ever ends: gRPC may use the one at any time,
/// and the other is a worker. A child process has its own.
class grpc_queue {
public:
    /// Called on the thread of the queue, once.
    using tag = std::function<void()>;

    /// The one of this process. Throws `no_thread`.
    static ::grpc::CompletionQueue& shared() {
        static std::mutex mutex;
        static ::grpc::CompletionQueue* queue = nullptr;
        static ::pid_t owner = 0;
        std::lock_guard lock(mutex);
        if (queue != nullptr && owner == ::getpid()) return *queue;
        auto made = std::make_unique<::grpc::CompletionQueue>();
        workers::shared().run([queue = made.get()] { run(*queue); });
        owner = ::getpid();
        queue = made.release();
        return *queue;
    }

private:
    static void run(::grpc::CompletionQueue& queue) {
        void* next = nullptr;
        for (bool ok = false; queue.Next(&next, &ok);) {
            std::unique_ptr<tag> const ended(static_cast<tag*>(next));
            try {
                (*ended)();
            } catch (...) {
                // No memory to tell it: who waits is given up at the deadline.
            }
        }
    }
};

/// Lets go of a channel. gRPC (1.51) never closes a connection that comes about while its channel goes, so it is kept as long as it
/// connects. A call may be about to have an idle one connect.
inline void let_go(std::shared_ptr<::grpc::Channel> channel, ::grpc::CompletionQueue& queue, bool changes = true) noexcept {
    auto& watched = *channel;
    auto const state = watched.GetState(false);
    bool const settles = state == GRPC_CHANNEL_CONNECTING || (state == GRPC_CHANNEL_IDLE && changes);
    if (!settles) return;
    try {
        auto again = [channel = std::move(channel), &queue, state]() mutable {
            bool const moves = channel->GetState(false) != state;
            healthz::detail::let_go(std::move(channel), queue, moves);
        };
        auto tag = std::make_unique<grpc_queue::tag>(std::move(again));
        auto const in_a_second = ::gpr_time_add(::gpr_now(GPR_CLOCK_MONOTONIC), ::gpr_time_from_seconds(1, GPR_TIMESPAN));
        watched.NotifyOnStateChange(state, in_a_second, &queue, tag.release());
    } catch (...) {
        // No memory to wait: it goes at once.
    }
}

/// Opens a channel, which is let go of with its last reference. Throws `no_thread`.
inline std::shared_ptr<::grpc::Channel> open_channel(std::string const& target,
                                                     std::shared_ptr<::grpc::ChannelCredentials> const& credentials,
                                                     ::grpc::ChannelArguments const& arguments) {
    auto& queue = grpc_queue::shared();  // by which it is let go of
    auto opened = ::grpc::CreateCustomChannel(target, credentials, arguments);
    auto* const channel = opened.get();
    return {channel, [opened = std::move(opened), &queue](::grpc::Channel*) mutable { healthz::detail::let_go(std::move(opened), queue); }};
}

/// How a call ended.
struct grpc_answer {
    ::grpc::Status status;
    std::string bytes;  ///< of the response, if it is OK
};

/// What gRPC uses until the call has ended, whoever still waits for it.
struct grpc_call {
    std::shared_ptr<::grpc::Channel> channel;
    ::grpc::ClientContext context;
    ::grpc::ByteBuffer response;
    ::grpc::Status status;
    std::unique_ptr<::grpc::GenericClientAsyncResponseReader> reader;

    std::string bytes() const {
        std::string all;
        std::vector<::grpc::Slice> slices;
        if (status.ok() && response.Dump(&slices).ok())
            for (auto const& each : slices) all.append(reinterpret_cast<char const*>(each.begin()), each.size());
        return all;
    }
};

/// Calls `method`, which has `timeout` to answer, and says so to the server. Cancelled, it cancels the call and waits no longer.
inline net::awaitable<grpc_answer> call_grpc(std::shared_ptr<::grpc::Channel> channel, std::string method, std::string request,
                                             std::chrono::milliseconds timeout) {
    struct waiter {
        net::steady_timer timer;
        bool ended = false;

        explicit waiter(net::any_io_executor const& executor) : timer(executor, net::steady_timer::time_point::max()) {}
        auto get_executor() { return timer.get_executor(); }
    };
    auto const executor = co_await net::this_coro::executor;
    auto const waiting = std::make_shared<waiter>(executor);
    auto const call = std::make_shared<grpc_call>();
    call->channel = std::move(channel);
    auto const now = ::gpr_now(GPR_CLOCK_MONOTONIC);  // no jump of the time of day is to end a call
    call->context.set_deadline(::gpr_time_add(now, ::gpr_time_from_millis(timeout.count(), GPR_TIMESPAN)));
    ::grpc::Slice const slice(request);
    ::grpc::ByteBuffer const message(&slice, 1);
    auto& queue = grpc_queue::shared();
    ::grpc::GenericStub stub(call->channel);
    call->reader = stub.PrepareUnaryCall(&call->context, method, message, &queue);
    auto told = [call, gate = return_gate::of(executor), to = std::weak_ptr(waiting)] {
        gate->post(to, [](waiter& w) {
            w.ended = true;
            w.timer.cancel();
        });
    };
    auto tag = std::make_unique<grpc_queue::tag>(std::move(told));
    call->reader->StartCall();
    call->reader->Finish(&call->response, &call->status, tag.release());

    // Also where the context goes while this waits.
    struct canceller {
        std::shared_ptr<grpc_call> of;
        std::shared_ptr<waiter> by;

        canceller(std::shared_ptr<grpc_call> c, std::shared_ptr<waiter> w) : of(std::move(c)), by(std::move(w)) {}
        ~canceller() {
            if (!by->ended) of->context.TryCancel();
        }
    };
    canceller const at_end(call, waiting);
    boost::system::error_code ec;
    auto token = net::redirect_error(net::use_awaitable, ec);
    co_await waiting->timer.async_wait(token);
    grpc_answer answer;
    if (waiting->ended) {
        answer.status = call->status;
        answer.bytes = call->bytes();
    } else {
        answer.status = ::grpc::Status(::grpc::StatusCode::CANCELLED, "given up");
    }
    co_return answer;
}

}  // namespace healthz::detail
