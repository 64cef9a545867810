// What all connections of a server share. Only for the server's thread, except where said.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tools/serve/http/pending_exchange.h"
#include "tools/serve/http/server.h"

namespace vgg19::http {

using Clock = std::chrono::steady_clock;
using Socket = boost::asio::generic::stream_protocol::socket;

/// Who counts as one client: the address family, and the address or network.
using Client = std::pair<int, std::uint64_t>;

class Connection;

class Core {
  public:
    explicit Core(Options given);

    /// Takes over the socket, and closes it if that fails; `client` may be refused.
    void adopt(int socket, const Client& client);
    /// Closes the connection that can be missed best, of that client alone if it is given. False if all are
    /// needed.
    bool make_room(const Client* client) noexcept;
    void forget(Connection& connection) noexcept;

    /// The answer to a problem, never one that fails.
    Answer answer_of(const Problem& problem, std::string_view path) const;
    Problem current_problem() const;

    const Options options;
    /// Used by one thread alone: others go through the mailbox.
    boost::asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
    const std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
    std::array<char, 65536> received{};  ///< for one read at a time
    std::size_t most_connections;        ///< Limits::connections, or what the process may open
    std::size_t busy = 0;                ///< connections that count for Limits::busy_connections
    std::list<std::shared_ptr<Connection>> connections;
    std::atomic<std::size_t> count = 0;  ///< for any thread
    std::atomic<bool> stopping = false;  ///< for any thread
    std::function<void(const Request&)> guard;

    // Whole answers, made in advance: they need no memory.
    const std::string out_of_memory;
    const std::string too_many_connections;

  private:
    std::string whole_text(const Problem& problem) const;
    void adopt_open(Socket socket, const Client& client);

    std::map<Client, std::size_t> clients_;  ///< connections of each
};

/// Sends what the system takes at once, and reads what has arrived, so that closing does not discard the
/// answer. Does not wait.
void send_last_words(int socket, std::string_view text) noexcept;

}  // namespace vgg19::http
