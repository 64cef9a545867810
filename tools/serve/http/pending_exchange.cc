#include "tools/serve/http/pending_exchange.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace vgg19::http {

namespace {

thread_local const PendingExchange* dispatched = nullptr;

}  // namespace

Mailbox::Mailbox() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (event_ < 0) throw std::system_error(errno, std::system_category(), "eventfd");
}

Mailbox::~Mailbox() {
    ::close(event_);
}

void Mailbox::add(std::shared_ptr<PendingExchange> exchange) noexcept {
    {
        const std::scoped_lock lock(mutex_);
        exchange->next_ = std::move(first_);
        first_ = std::move(exchange);
        if (first_->next_ != nullptr) return;  // rung already
    }
    ring();
}

std::shared_ptr<PendingExchange> Mailbox::take() noexcept {
    const std::scoped_lock lock(mutex_);
    std::shared_ptr<PendingExchange> taken = std::move(first_);
    if (taken != nullptr) first_ = std::move(taken->next_);
    return taken;
}

void Mailbox::ring() noexcept {
    const std::uint64_t one = 1;
    while (::write(event_, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void Mailbox::silence() noexcept {
    std::uint64_t count = 0;
    while (::read(event_, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

PendingExchange::Dispatch::Dispatch(const PendingExchange& exchange) {
    dispatched = &exchange;
}

PendingExchange::Dispatch::~Dispatch() {
    dispatched = nullptr;
}

PendingExchange::PendingExchange(std::shared_ptr<Mailbox> mailbox, Request request)
    : mailbox_(std::move(mailbox)) {
    request_ = std::move(request);
}

void PendingExchange::announce() noexcept {
    if (dispatched == this || announced_ || finished_) return;
    announced_ = true;
    mailbox_->add(std::static_pointer_cast<PendingExchange>(shared_from_this()));
}

bool PendingExchange::respond(Answer answer) noexcept {
    const std::scoped_lock lock(mutex_);
    if (is_answered()) return false;
    answered_ = true;
    outcome_.answer.emplace(std::move(answer));
    announce();
    return true;
}

bool PendingExchange::respond(const Problem& problem) noexcept {
    const std::scoped_lock lock(mutex_);
    if (is_answered()) return false;
    answered_ = true;
    try {
        outcome_.problem.emplace(problem);
    } catch (...) {  // no memory for its copy
        outcome_.memory_was_short = true;
    }
    announce();
    return true;
}

bool PendingExchange::stream(Answer head, Source source) {
    const std::scoped_lock lock(mutex_);
    if (is_answered()) return false;
    answered_ = true;
    outcome_.answer.emplace(std::move(head));
    outcome_.source.emplace(std::move(source));
    announce();
    return true;
}

void PendingExchange::wake() noexcept {
    const std::scoped_lock lock(mutex_);
    outcome_.woken = true;
    announce();
}

void PendingExchange::read_body() noexcept {
    const std::scoped_lock lock(mutex_);
    outcome_.wants_body = true;
    announce();
}

void PendingExchange::on_body_growth(std::function<void(std::size_t)> grow) {
    const std::scoped_lock lock(mutex_);
    grow_ = std::move(grow);
}

void PendingExchange::on_departure(std::function<void()> leave) {
    {
        const std::scoped_lock lock(mutex_);
        if (!departed_) {
            leave_ = std::move(leave);
            return;
        }
    }
    leave();
}

bool PendingExchange::has_departed() const {
    const std::scoped_lock lock(mutex_);
    return departed_;
}

void PendingExchange::set_deadline(Clock::time_point deadline, Problem late) {
    const std::scoped_lock lock(mutex_);
    deadline_.emplace(deadline, std::move(late));
}

void PendingExchange::attach(std::shared_ptr<void> thing) {
    const std::scoped_lock lock(mutex_);
    attached_.push_back(std::move(thing));
}

void PendingExchange::append_body(std::string_view bytes, std::size_t most_bytes) {
    constexpr std::size_t least_bytes = 65536;
    const std::size_t needed = body.size() + bytes.size();
    const auto length = static_cast<std::size_t>(request_.content_length.value_or(most_bytes));
    if (needed > body_memory_) {
        const std::size_t before = body_memory_;
        body_memory_ = std::min(length, std::max({needed, 2 * before, least_bytes}));
        // While the body moves, its bytes are there twice.
        const bool moves = body_memory_ > body.capacity() && 2 * body.size() > body_memory_;
        tell_growth(moves ? 2 * body.size() : body_memory_);
        reserve_body(length);
        if (moves) tell_growth(body_memory_);
    }
    body.append(bytes);
}

/// The system gives memory when it is written to, so room for the rest costs nothing yet; but a client that
/// has sent little shall not get the room for all that it announces.
void PendingExchange::reserve_body(std::size_t length) {
    constexpr std::size_t times = 16;
    if (body_memory_ <= body.capacity()) return;
    body.reserve(request_.content_length ? std::min(length, times * body_memory_) : body_memory_);
}

void PendingExchange::tell_growth(std::size_t bytes) {
    // The function is called without the lock, so that it may call this exchange.
    const std::function<void(std::size_t)> grow = [&] {
        const std::scoped_lock lock(mutex_);
        return grow_;
    }();
    if (grow) grow(bytes);
}

PendingExchange::Outcome PendingExchange::take_outcome() {
    const std::scoped_lock lock(mutex_);
    announced_ = false;
    Outcome taken = std::move(outcome_);
    outcome_ = {};
    return taken;
}

void PendingExchange::depart() noexcept {
    std::function<void()> leave;
    {
        const std::scoped_lock lock(mutex_);
        departed_ = true;
        leave.swap(leave_);
    }
    try {
        if (leave) leave();
    } catch (...) {  // it is told, whatever it makes of that
    }
}

void PendingExchange::finish() noexcept {
    std::function<void()> leave;
    std::function<void(std::size_t)> grow;
    Outcome unused;
    const std::scoped_lock lock(mutex_);  // released before the functions are destroyed
    finished_ = true;
    leave.swap(leave_);
    grow.swap(grow_);
    std::swap(unused, outcome_);
}

void PendingExchange::check_deadline(Clock::time_point now) {
    std::optional<std::pair<Clock::time_point, Problem>> passed;
    {
        const std::scoped_lock lock(mutex_);
        if (!deadline_ || now < deadline_->first || is_answered()) return;
        passed = std::move(deadline_);
        deadline_.reset();
    }
    depart();
    respond(passed->second);
}

}  // namespace vgg19::http
