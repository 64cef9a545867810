// A request that is being answered. The answer may come later, from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/serve/http/problem.h"
#include "tools/serve/http/request.h"

namespace vgg19::http {

struct Answer {
    int status = 200;
    std::string type;  ///< Content-Type; "": none
    std::string body;
    std::string_view lasting_body;  ///< sent instead of `body` if not empty; must outlive the server
    std::vector<std::pair<std::string, std::string>> fields;  ///< further ones, without line breaks
    bool closes = false;                                      ///< close the connection afterwards
    /// Released when the answer has been sent, or never will be: for memory that is accounted for elsewhere.
    std::shared_ptr<void> lease;
};

/// What a stream's text comes from, piece by piece. A piece is asked for only when the one before has been
/// taken by the system, so a slow client's stream takes the memory of one piece.
struct Source {
    enum class State : unsigned char {
        more,  ///< ask again after this piece
        idle,  ///< nothing else for now; Exchange::wake() asks again
        end,   ///< this piece is the last
    };
    /// Appends to the empty `piece` what is to be sent next. Called on the server's thread: it must not
    /// block. If it throws, the connection is closed without the stream's end.
    std::function<State(std::string& piece)> next;
    /// Sent if there was nothing else for so long, so that the connection is not taken for dead.
    std::string filler;
    std::chrono::milliseconds longest_silence{10'000};
};

/// Thread-safe. All functions may be called after the client, and even the server, is gone; they do nothing
/// then.
class Exchange : public std::enable_shared_from_this<Exchange> {
  public:
    virtual ~Exchange() = default;
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    /// Does not change after the route's `admit` has been called.
    const Request& request() const { return request_; }

    /// For the route's own use: what its `admit` leaves to its handler.
    std::shared_ptr<void> context;

    /// The body, complete when the route's handler is called; the handler may take it.
    std::string body;

    /// Answers. Only the first answer counts; false for others, and if the client is gone. Does not allocate,
    /// and never blocks.
    virtual bool respond(Answer answer) noexcept = 0;
    /// Answers with the text that Server's `problem_answer` makes of it.
    virtual bool respond(const Problem& problem) noexcept = 0;
    /// Answers with that status and fields, and text from the source until its end; chunked, or up to the
    /// connection's end for HTTP/1.0. The answer's body is not used. Destroys the source when the stream ends
    /// or the client leaves.
    virtual bool stream(Answer head, Source source) = 0;
    /// A stream's source has more. Does not allocate, and never blocks.
    virtual void wake() noexcept = 0;

    /// For a route whose `admit` returned `Admission::later`: reads the body now, then calls the handler.
    virtual void read_body() noexcept = 0;
    /// Before the body is read. `grow` is called with the bytes that the body's memory is about to take, in
    /// sum, before it takes them, and again with less when a move to larger memory is over. That grows as
    /// bytes arrive, whatever length was announced. It runs on the server's thread; a Problem that it throws
    /// becomes the answer.
    virtual void on_body_growth(std::function<void(std::size_t bytes)> grow) = 0;

    /// `leave` is called once, if the client leaves before the answer is complete or the deadline passes: on
    /// the server's thread, so it must not block; or at once by this call, if that has happened already. A
    /// client that has closed its sending side counts as gone. The answer may still be given.
    virtual void on_departure(std::function<void()> leave) = 0;
    virtual bool has_departed() const = 0;
    /// If there is no answer by then, calls what on_departure() was given and answers with that problem.
    virtual void set_deadline(std::chrono::steady_clock::time_point deadline, Problem late) = 0;

    /// Keeps `thing` until the exchange is destroyed: after the answer has been sent, or the connection
    /// closed, and nobody else holds the exchange.
    virtual void attach(std::shared_ptr<void> thing) = 0;

  protected:
    Exchange() = default;

    Request request_;
};

}  // namespace vgg19::http
