// The server's side of an exchange, and how other threads reach the server's thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/serve/http/exchange.h"

namespace vgg19::http {

class Connection;
class PendingExchange;

/// Exchanges that have something for their connection, added from any thread. Adding neither allocates nor
/// blocks, so an answer always arrives. Outlives the server as long as an exchange exists.
class Mailbox {
  public:
    /// Throws std::system_error.
    Mailbox();
    ~Mailbox();
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    void add(std::shared_ptr<PendingExchange> exchange) noexcept;
    /// The last one that was added; none if there is none.
    std::shared_ptr<PendingExchange> take() noexcept;
    /// Makes descriptor() readable; also done by add().
    void ring() noexcept;
    /// After this call descriptor() is not readable until the next ring.
    void silence() noexcept;
    int descriptor() const { return event_; }

  private:
    std::mutex mutex_;
    std::shared_ptr<PendingExchange> first_;
    int event_;
};

class PendingExchange final : public Exchange {
  public:
    using Clock = std::chrono::steady_clock;

    PendingExchange(std::shared_ptr<Mailbox> mailbox, Request request);

    bool respond(Answer answer) noexcept override;
    bool respond(const Problem& problem) noexcept override;
    bool stream(Answer head, Source source) override;
    void wake() noexcept override;
    void read_body() noexcept override;
    void on_body_growth(std::function<void(std::size_t)> grow) override;
    void on_departure(std::function<void()> leave) override;
    bool has_departed() const override;
    void set_deadline(Clock::time_point deadline, Problem late) override;
    void attach(std::shared_ptr<void> thing) override;

    // For the connection, on the server's thread:

    Request& own_request() { return request_; }
    /// Adds to the body. Throws what on_body_growth()'s function throws.
    void append_body(std::string_view bytes, std::size_t most_bytes);

    /// What the application has said. Each part is given out once.
    struct Outcome {
        std::optional<Answer> answer;
        std::optional<Problem> problem;
        std::optional<Source> source;  ///< of a stream, of which `answer` is the head
        bool memory_was_short = false;
        bool wants_body = false;
        bool woken = false;
    };
    Outcome take_outcome();
    /// Calls on_departure()'s function, if that has not happened.
    void depart() noexcept;
    /// The answer has been sent, or never will be. Lets go of the application's functions, which may hold
    /// this exchange.
    void finish() noexcept;
    /// Departs and answers, if the deadline has passed without an answer.
    void check_deadline(Clock::time_point now);

    /// While it exists, this thread's calls need not be announced to the connection, which looks afterwards.
    class Dispatch {
      public:
        explicit Dispatch(const PendingExchange& exchange);
        ~Dispatch();
        Dispatch(const Dispatch&) = delete;
        Dispatch& operator=(const Dispatch&) = delete;
    };

    Connection* connection = nullptr;  ///< null when it is closed

  private:
    friend class Mailbox;

    void announce() noexcept;  // with the lock
    void reserve_body(std::size_t length);
    void tell_growth(std::size_t bytes);
    bool is_answered() const { return answered_ || finished_; }  // with the lock

    const std::shared_ptr<Mailbox> mailbox_;
    std::shared_ptr<PendingExchange> next_;  ///< protected by the mailbox
    std::size_t body_memory_ = 0;            ///< what on_body_growth()'s function was told last

    mutable std::mutex mutex_;  ///< protects the members below
    Outcome outcome_;
    bool answered_ = false;
    bool announced_ = false;  ///< in the mailbox
    bool departed_ = false;
    bool finished_ = false;
    std::function<void()> leave_;
    std::function<void(std::size_t)> grow_;
    std::optional<std::pair<Clock::time_point, Problem>> deadline_;
    std::vector<std::shared_ptr<void>> attached_;
};

}  // namespace vgg19::http
