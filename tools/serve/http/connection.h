// A client's connection: reads its requests one after the other, and writes the answers. Everything runs on
// the server's thread. Whatever fails closes this connection alone.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tools/serve/http/answer_text.h"
#include "tools/serve/http/core.h"
#include "tools/serve/http/request_reader.h"

namespace vgg19::http {

class Connection final : public std::enable_shared_from_this<Connection> {
  public:
    Connection(Core& core, Socket socket, Client client);
    ~Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void start() noexcept;
    /// Its exchange is in the mailbox.
    void look_at_exchange() noexcept;
    /// Called several times a second; everything that happens at a certain time happens here.
    void tick(Clock::time_point now) noexcept;
    /// Closes the connection if it is idle; otherwise after its answer.
    void begin_stop() noexcept;
    void close() noexcept;
    /// Closes, and drops what the client has not taken.
    void reset() noexcept;

    /// How well the connection can be missed.
    enum class Standing : unsigned char {
        needed,
        stalled,  ///< the client has not taken or sent anything for a while
        slow,     ///< a head is being received
        idle,     ///< no request has begun, or all are answered
    };
    Standing standing(Clock::time_point now) const;
    Clock::time_point last_progress() const { return progress_; }
    const Client& client() const { return client_; }

    std::list<std::shared_ptr<Connection>>::iterator position;  ///< in the core's list

  private:
    enum class State : unsigned char {
        waiting,    ///< for a request's first byte
        head,       ///< receiving it
        admission,  ///< the application has not decided whether to read the body
        body,       ///< receiving it
        working,    ///< the application has the exchange
        writing,    ///< an answer
        streaming,
        lingering,  ///< all is answered and our side closed; the client may still be sending
        closed,
    };

    /// Runs the function, then waits for input if there may be some.
    template <typename Function>
    void guarded(const Function& function) noexcept {
        const std::shared_ptr<Connection> self = weak_from_this().lock();
        try {
            if (state_ != State::closed) function();
            arm_read();
        } catch (...) {
            fail();
        }
    }
    void fail() noexcept;

    void arm_read();
    bool wants_input() const;
    void on_readable();
    void peer_left(bool was_reset);
    void advance();
    bool feed();
    void read_input();
    std::string_view input() const { return std::string_view(input_).substr(input_begin_); }
    void consume(std::size_t count);

    void begin_exchange();
    const Route& find_route(Request& request);
    void check_body();
    void admit();
    void start_body();
    void handle();
    void read_outcome();
    void refuse(const Problem& problem);
    void set_busy(bool busy) noexcept;

    void begin_answer(Answer answer);
    void begin_stream(Answer head, Source source);
    void pump();
    void resume_stream();
    void write();
    bool write_some();
    void arm_write();
    void finish_answer();
    void count_answer() noexcept;
    void let_go() noexcept;
    void next_request();
    void linger();

    void tick_stream(Clock::time_point now);
    void tick_end(Clock::time_point now);
    bool client_has_closed();
    bool has_undelivered();

    Core& core_;
    Socket socket_;
    const Client client_;
    State state_ = State::waiting;
    Clock::time_point progress_;  ///< when the client last sent or took something
    Clock::time_point deadline_;  ///< of the state, if the client makes it last
    bool reading_ = false;        ///< waits to become readable
    bool waits_to_write_ = false;
    bool peer_closed_ = false;  ///< the client sends nothing more
    bool busy_ = false;
    bool goes_on_later_ = false;  ///< others come first, then advance()

    std::string input_;  ///< received
    std::size_t input_begin_ = 0;
    RequestReader reader_;
    std::size_t requests_ = 0;

    // The current request:
    Clock::time_point start_;
    Clock::duration head_time_{};                ///< that the head took to arrive
    std::shared_ptr<PendingExchange> exchange_;  ///< from its head's end to the answer's
    const Route* route_ = nullptr;
    bool closes_ = false;  ///< after the answer
    Fields refusal_fields_;

    // Its answer:
    std::string output_;  ///< text to be sent before the answer's body
    Answer answer_;
    std::string_view output_body_;
    std::size_t written_ = 0;  ///< of both
    std::size_t taken_ = 0;    ///< since the deadline was set
    std::optional<Source> source_;
    bool source_is_idle_ = false;
    bool source_has_ended_ = false;
    Clock::time_point last_written_;
    std::size_t lingered_ = 0;  ///< bytes that were thrown away
};

}  // namespace vgg19::http
