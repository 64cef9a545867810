// The part of a connection that writes answers.
#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/socket_base.hpp>
#include <utility>

#include "tools/serve/http/connection.h"

namespace vgg19::http {

namespace {

using boost::system::error_code;

}  // namespace

void Connection::begin_answer(Answer answer) {
    const Request* request = exchange_ ? &exchange_->request() : nullptr;
    answer_ = std::move(answer);
    // After a request that was not read to its end, its rest could be taken for the next one.
    closes_ |= answer_.closes || core_.stopping || peer_closed_ || !reader_.is_complete();
    state_ = State::writing;
    const bool keeps_1_0 = !closes_ && request != nullptr && request->is_1_0;
    output_ += head_text(answer_, BodyFraming::length, closes_ ? "close" : (keeps_1_0 ? "keep-alive" : ""),
                         core_.options.fields);
    output_body_ = request != nullptr && request->method == "HEAD" ? std::string_view() : body_of(answer_);
    deadline_ = Clock::now() + core_.options.limits.write;
    write();
}

void Connection::begin_stream(Answer head, Source source) {
    const Request& request = exchange_->request();
    if (!busy_ && core_.busy >= core_.options.limits.busy_connections) {
        refuse(Problem(503, "queue_full", "too many requests at the same time"));
        return;
    }
    answer_ = std::move(head);
    answer_.body.clear();
    answer_.lasting_body = {};
    closes_ |= answer_.closes || core_.stopping || peer_closed_ || !reader_.is_complete() || request.is_1_0;
    output_ += head_text(answer_, request.is_1_0 ? BodyFraming::to_close : BodyFraming::chunks,
                         closes_ ? "close" : "", core_.options.fields);
    output_body_ = {};
    state_ = State::streaming;
    source_has_ended_ = request.method == "HEAD";
    source_ = std::move(source);
    source_is_idle_ = false;
    set_busy(true);
    deadline_ = Clock::now() + core_.options.limits.write;
    write();
}

/// Sends the stream's next piece, unless it has none.
void Connection::pump() {
    std::string piece;
    const Source::State state = source_->next(piece);
    source_has_ended_ = state == Source::State::end;
    source_is_idle_ = state == Source::State::idle && piece.empty();
    const bool is_chunked = !exchange_->request().is_1_0;
    if (!piece.empty()) {
        if (is_chunked) {
            append_chunk(output_, piece);
        } else {
            output_ += piece;
        }
    }
    if (source_has_ended_ && is_chunked) output_ += last_chunk;
    deadline_ = Clock::now() + core_.options.limits.write;
}

/// Writes as much as the client takes now.
void Connection::write() {
    constexpr int most_turns = 8;  // then others come first
    for (int turn = 0; turn < most_turns; ++turn) {
        if (!write_some()) return;
        if (written_ < output_.size() + output_body_.size()) continue;
        output_.clear();
        output_body_ = {};
        written_ = 0;
        if (state_ == State::writing || (state_ == State::streaming && source_has_ended_)) {
            finish_answer();
            return;
        }
        if (state_ != State::streaming) return;  // the request goes on
        pump();
        if (source_is_idle_) return;
    }
    arm_write();
}

void Connection::resume_stream() {
    if (!source_is_idle_) return;  // asked again when the last piece has been sent
    pump();
    if (!source_is_idle_) write();
}

/// False if the client takes nothing now.
bool Connection::write_some() {
    const Limits& limits = core_.options.limits;
    const std::string_view head = std::string_view(output_).substr(std::min(written_, output_.size()));
    const std::string_view body = output_body_.substr(written_ - std::min(written_, output_.size()));
    if (head.empty() && body.empty()) return true;
    const std::array<boost::asio::const_buffer, 2> buffers = {
        boost::asio::buffer(head.data(), std::min(head.size(), limits.piece_bytes)),
        boost::asio::buffer(body.data(), std::min(body.size(), limits.piece_bytes))};
    error_code error;
    const std::size_t count = socket_.write_some(buffers, error);
    if (error == boost::asio::error::would_block || error == boost::asio::error::interrupted) {
        arm_write();
        return false;
    }
    if (error) {
        close();
        return false;
    }
    progress_ = last_written_ = Clock::now();
    written_ += count;
    taken_ += count;
    if (taken_ >= limits.piece_bytes) {
        taken_ = 0;
        deadline_ = progress_ + limits.write;
    }
    return true;
}

void Connection::arm_write() {
    if (waits_to_write_) return;
    socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const error_code& error) {
        self->waits_to_write_ = false;
        if (error) return;
        self->guarded([&] {
            self->write();
            self->advance();
        });
    });
    waits_to_write_ = true;
}

void Connection::finish_answer() {
    count_answer();
    let_go();
    if (closes_) {
        linger();
    } else {
        next_request();
    }
}

/// Of everything that belongs to the request and its answer.
void Connection::let_go() noexcept {
    if (exchange_) {
        exchange_->finish();
        exchange_->connection = nullptr;
        exchange_.reset();
    }
    source_.reset();
    answer_ = {};
    set_busy(false);
}

void Connection::count_answer() noexcept {
    try {
        if (!core_.options.answered) return;
        const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
        core_.options.answered(route_ == nullptr ? "" : route_->pattern, answer_.status, seconds);
    } catch (...) {  // counting is not worth an answer
    }
}

void Connection::next_request() {
    constexpr std::size_t usual_bytes = 4096;
    if (output_.capacity() > usual_bytes) std::string().swap(output_);
    reader_.reset();
    route_ = nullptr;
    refusal_fields_.clear();
    state_ = State::waiting;
    deadline_ = Clock::now() + core_.options.limits.keep_alive;
    if (core_.stopping && input().empty()) close();
}

/// Closes our side, then reads for a while what the client still sends: if the socket were closed at once, a
/// client that is still sending would not see the answer.
void Connection::linger() {
    if (peer_closed_ && !has_undelivered()) {
        close();
        return;
    }
    error_code error;
    socket_.shutdown(Socket::shutdown_send, error);
    state_ = State::lingering;
    deadline_ = Clock::now() + core_.options.limits.linger;
    std::string().swap(input_);
    input_begin_ = 0;
}

}  // namespace vgg19::http
