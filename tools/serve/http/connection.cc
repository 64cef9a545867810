#include "tools/serve/http/connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <new>
#include <utility>

#include "tools/serve/http/route_pattern.h"

namespace vgg19::http {

namespace {

using boost::system::error_code;

/// A client that has taken and sent nothing for so long is closed before others are refused.
constexpr std::chrono::seconds stalling{1};

}  // namespace

Connection::Connection(Core& core, Socket socket, Client client)
    : core_(core),
      socket_(std::move(socket)),
      client_(std::move(client)),
      progress_(Clock::now()),
      deadline_(progress_ + core.options.limits.keep_alive),
      reader_(core.options.limits) {}

void Connection::start() noexcept {
    guarded([] {});
}

void Connection::begin_stop() noexcept {
    guarded([&] {
        if (state_ == State::waiting && !peer_closed_) on_readable();  // a request may have come just now
        if (state_ != State::waiting) return;
        if (has_undelivered()) {
            linger();
        } else {
            close();
        }
    });
}

void Connection::reset() noexcept {
    error_code ignored;
    if (state_ != State::closed) socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
    close();
}

void Connection::close() noexcept {
    if (state_ == State::closed) return;
    const std::shared_ptr<Connection> self = weak_from_this().lock();  // until the end of this function
    state_ = State::closed;
    if (exchange_) exchange_->depart();
    let_go();
    error_code ignored;
    socket_.close(ignored);
    core_.forget(*this);
}

/// After an exception, most likely for want of memory. Nothing here needs any.
void Connection::fail() noexcept {
    if (state_ == State::closed) return;
    const bool is_silent =
        state_ != State::writing && state_ != State::streaming && state_ != State::lingering;
    if (is_silent || (state_ == State::writing && written_ == 0)) {
        send_last_words(socket_.native_handle(), core_.out_of_memory);
        answer_.status = 503;
        count_answer();
    }
    close();
}

Connection::Standing Connection::standing(Clock::time_point now) const {
    switch (state_) {
        case State::waiting:
        case State::lingering:
            return Standing::idle;
        case State::head:
            return Standing::slow;
        case State::body:
        case State::writing:
            return now - progress_ > stalling ? Standing::stalled : Standing::needed;
        default:
            return Standing::needed;
    }
}

bool Connection::wants_input() const {
    if (goes_on_later_ && state_ != State::lingering) return false;
    switch (state_) {
        case State::waiting:
        case State::head:
        case State::body:
        case State::lingering:
            return true;
        case State::admission:
        case State::working:
        case State::streaming:  // to see it when the client leaves
            return input_.size() - input_begin_ < core_.options.limits.read_ahead_bytes;
        default:
            return false;
    }
}

void Connection::arm_read() {
    if (reading_ || peer_closed_ || !wants_input()) return;
    socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& error) {
        self->reading_ = false;
        if (!error) self->guarded([&] { self->on_readable(); });
    });
    reading_ = true;
}

void Connection::on_readable() {
    if (!wants_input()) return;
    error_code error;
    const std::size_t count = socket_.read_some(boost::asio::buffer(core_.received), error);
    if (error == boost::asio::error::would_block || error == boost::asio::error::interrupted) return;
    if (error) {
        peer_left(error != boost::asio::error::eof);
        return;
    }
    progress_ = Clock::now();
    if (state_ == State::lingering) {
        constexpr std::size_t most_bytes = std::size_t{64} << 20U;
        lingered_ += count;
        if (lingered_ > most_bytes) close();
        return;
    }
    input_.append(core_.received.data(), count);
    advance();
}

void Connection::peer_left(bool was_reset) {
    peer_closed_ = true;
    if (exchange_) exchange_->depart();
    // Who has closed the sending side alone still gets the answers that have been made; work that is not done
    // is ended, because a client that has left altogether looks the same.
    if (state_ == State::waiting && !was_reset) {
        linger();
    } else if (state_ != State::working || was_reset) {
        close();
    }
}

void Connection::consume(std::size_t count) {
    constexpr std::size_t usual_bytes = 4096;
    input_begin_ += count;
    if (input_begin_ < input_.size()) {
        // Moved only when at least as much has been used, so each byte is moved once at most.
        if (input_begin_ < input_.size() / 2) return;
        input_.erase(0, input_begin_);
    } else if (input_.capacity() > usual_bytes) {
        std::string().swap(input_);
    } else {
        input_.clear();
    }
    input_begin_ = 0;
}

/// Reads and answers what has been received, as far as it goes.
void Connection::advance() {
    if (goes_on_later_) return;
    const std::size_t first = requests_;
    while (feed()) {
        if (requests_ == first || input().empty()) continue;
        // One request a turn: others come first, then the rest of what this client has sent ahead.
        boost::asio::post(core_.context, [self = shared_from_this()] {
            self->goes_on_later_ = false;
            self->guarded([&] { self->advance(); });
        });
        goes_on_later_ = true;
        return;
    }
}

/// False if nothing more can be done with what has been received.
bool Connection::feed() {
    const Limits& limits = core_.options.limits;
    if (input().empty()) return false;
    if (state_ == State::waiting) {
        state_ = State::head;
        start_ = Clock::now();
        deadline_ = start_ + std::min(limits.head, limits.request);
    }
    if (state_ != State::head && state_ != State::body) return false;
    try {
        read_input();
        if (state_ == State::head && reader_.has_head()) {
            begin_exchange();
        } else if (state_ == State::body && reader_.is_complete()) {
            handle();
        } else {
            return false;
        }
    } catch (const std::bad_alloc&) {
        throw;
    } catch (...) {
        refuse(core_.current_problem());
    }
    return true;
}

/// What cannot be read is not looked at again, and neither is what follows.
void Connection::read_input() {
    const bool closes = std::exchange(closes_, true);
    consume(reader_.read(
        input(), [this](std::string_view bytes) { exchange_->append_body(bytes, route_->most_body_bytes); }));
    closes_ = closes;
}

void Connection::begin_exchange() {
    head_time_ = Clock::now() - start_;
    closes_ = reader_.request().closes() || ++requests_ == core_.options.limits.requests_a_connection;
    exchange_ = std::make_shared<PendingExchange>(core_.mailbox, std::move(reader_.request()));
    exchange_->connection = this;
    Request& request = exchange_->own_request();
    if (core_.guard) core_.guard(request);
    route_ = &find_route(request);
    if (route_->most_body_bytes == 0) {
        handle();
        return;
    }
    check_body();
    if (core_.busy >= core_.options.limits.busy_connections) {
        throw Problem(503, "queue_full", "too many requests at the same time");
    }
    set_busy(true);
    admit();
}

const Route& Connection::find_route(Request& request) {
    std::string allowed;
    for (const Route& route : core_.options.routes) {
        if (!matches(route.pattern, request.path, request.id)) continue;
        const bool answers_head = route.method == "GET" && request.method == "HEAD";
        if (route.method == request.method || answers_head) return route;
        allowed += (allowed.empty() ? "" : ", ") + route.method + (route.method == "GET" ? ", HEAD" : "");
    }
    if (allowed.empty()) throw Problem(404, "not_found", "there is no such path");
    refusal_fields_ = {{"Allow", allowed}};
    throw Problem(405, "method_not_allowed", "expected " + allowed);
}

void Connection::check_body() {
    const Request& request = exchange_->request();
    if (!request.chunked && !request.content_length) {
        closes_ = true;  // the client may send a body all the same
        throw Problem(411, "length_required", "body: expected Content-Length, or chunks");
    }
    if (request.content_length.value_or(0) > route_->most_body_bytes) {
        throw Problem(413, "payload_too_large",
                      "body: expected at most " + std::to_string(route_->most_body_bytes) + " bytes, found " +
                          std::to_string(*request.content_length));
    }
    const std::string_view expectation = request.value("expect");
    if (!expectation.empty() && lower_case(expectation) != "100-continue") {
        throw Problem(417, "expectation_failed", "Expect: expected 100-continue");
    }
}

void Connection::admit() {
    state_ = State::admission;
    Admission admission = Admission::now;
    {
        const PendingExchange::Dispatch dispatch(*exchange_);
        if (route_->admit) admission = route_->admit(exchange_);
    }
    read_outcome();
    if (state_ == State::admission && admission == Admission::now) start_body();
}

void Connection::start_body() {
    const Limits& limits = core_.options.limits;
    if (reader_.is_complete()) {  // of length 0
        handle();
        return;
    }
    state_ = State::body;
    // The time that the application took to decide is not the client's.
    deadline_ = Clock::now() + std::max(Clock::duration(0), limits.request - head_time_);
    reader_.limit_body(route_->most_body_bytes);
    const Request& request = exchange_->request();
    if (request.find("expect") != nullptr && !request.is_1_0 && input().empty()) {
        output_ = "HTTP/1.1 100 Continue\r\n\r\n";
        write_some();  // what the system does not take is sent before the answer
    }
}

void Connection::handle() {
    state_ = State::working;
    const std::shared_ptr<PendingExchange> exchange = exchange_;
    {
        const PendingExchange::Dispatch dispatch(*exchange);
        route_->handle(exchange);
    }
    read_outcome();
}

void Connection::look_at_exchange() noexcept {
    guarded([&] {
        read_outcome();
        advance();
    });
}

void Connection::read_outcome() {
    if (!exchange_) return;
    PendingExchange::Outcome outcome = exchange_->take_outcome();
    if (state_ == State::writing) return;  // a problem came first
    if (outcome.memory_was_short) throw std::bad_alloc();
    if (outcome.problem) outcome.answer = core_.answer_of(*outcome.problem, exchange_->request().path);
    if (outcome.answer && outcome.source) {
        begin_stream(std::move(*outcome.answer), std::move(*outcome.source));
    } else if (outcome.answer) {
        begin_answer(std::move(*outcome.answer));
    } else if (outcome.wants_body && state_ == State::admission) {
        start_body();
    } else if (outcome.woken && state_ == State::streaming) {
        resume_stream();
    }
}

/// Answers with a problem. What follows on the connection is not read, unless the request was complete.
void Connection::refuse(const Problem& problem) {
    if (state_ == State::writing || state_ == State::streaming) throw problem;  // too late to say
    Answer answer = core_.answer_of(problem, exchange_ ? exchange_->request().path : "");
    answer.fields.insert(answer.fields.end(), refusal_fields_.begin(), refusal_fields_.end());
    begin_answer(std::move(answer));
}

void Connection::set_busy(bool busy) noexcept {
    if (busy_ == busy) return;
    busy_ = busy;
    core_.busy += busy ? 1 : std::size_t{0} - 1;
}

}  // namespace vgg19::http
