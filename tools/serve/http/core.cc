#include "tools/serve/http/core.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <exception>
#include <utility>

#include "tools/serve/http/answer_text.h"
#include "tools/serve/http/connection.h"

namespace vgg19::http {

Core::Core(Options given)
    : options(std::move(given)),
      most_connections(options.limits.connections),
      guard(options.guard),
      out_of_memory(whole_text(memory_is_short())),
      too_many_connections(whole_text(Problem(503, "queue_full", "too many connections"))) {}

Answer Core::answer_of(const Problem& problem, std::string_view path) const {
    if (options.problem_answer) return options.problem_answer(problem, path);
    return {.status = problem.status(), .type = "text/plain", .body = std::string(problem.what()) + "\n"};
}

std::string Core::whole_text(const Problem& problem) const {
    const Answer answer = answer_of(problem, "");
    return head_text(answer, BodyFraming::length, "close", options.fields).append(body_of(answer));
}

Problem Core::current_problem() const {
    try {
        throw;
    } catch (const Problem& problem) {
        return problem;
    } catch (const std::exception& error) {
        if (!options.problem_of) return {500, "internal", error.what()};
    } catch (...) {
        if (!options.problem_of) return {500, "internal", "unknown error"};
    }
    return options.problem_of();
}

void Core::adopt(int socket, const Client& client) {
    try {
        const auto found = clients_.find(client);
        const std::size_t own = found == clients_.end() ? 0 : found->second;
        const bool has_place = (own < options.limits.connections_a_client || make_room(&client)) &&
                               (connections.size() < most_connections || make_room(nullptr));
        if (!has_place) {
            send_last_words(socket, too_many_connections);
            ::close(socket);
            if (options.answered) options.answered("", 503, 0);
            return;
        }
        Socket taken(context);
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
        taken.assign(Socket::protocol_type(address.ss_family, 0), socket);
        socket = -1;
        adopt_open(std::move(taken), client);
    } catch (...) {  // no memory for another connection
        if (socket >= 0) {
            send_last_words(socket, out_of_memory);
            ::close(socket);
        }
    }
}

void Core::adopt_open(Socket socket, const Client& client) {
    socket.non_blocking(true);
    // Pieces of streams are not delayed. A socket of another kind than TCP has no such option.
    boost::system::error_code ignored;
    socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    // The system would let answers that nobody takes grow to megabytes.
    socket.set_option(Socket::send_buffer_size(static_cast<int>(options.limits.send_buffer_bytes)), ignored);
    std::size_t& own = clients_[client];
    try {
        connections.push_back(nullptr);
        try {
            connections.back() = std::make_shared<Connection>(*this, std::move(socket), client);
        } catch (...) {
            connections.pop_back();
            throw;
        }
    } catch (...) {
        if (own == 0) clients_.erase(client);
        throw;
    }
    ++own;
    ++count;
    const std::shared_ptr<Connection> connection = connections.back();
    connection->position = std::prev(connections.end());
    connection->start();
}

bool Core::make_room(const Client* client) noexcept {
    const Clock::time_point now = Clock::now();
    Connection* best = nullptr;
    auto best_standing = Connection::Standing::needed;
    for (const std::shared_ptr<Connection>& one : connections) {
        if (client != nullptr && one->client() != *client) continue;
        const auto standing = one->standing(now);
        if (standing == Connection::Standing::needed || standing < best_standing) continue;
        if (standing == best_standing && one->last_progress() >= best->last_progress()) continue;
        best = one.get();
        best_standing = standing;
    }
    if (best != nullptr) best->reset();
    return best != nullptr;
}

void Core::forget(Connection& connection) noexcept {
    const auto found = clients_.find(connection.client());
    if (--found->second == 0) clients_.erase(found);
    --count;
    connections.erase(connection.position);  // may destroy it
    if (stopping && connections.empty()) context.stop();
}

void send_last_words(int socket, std::string_view text) noexcept {
    constexpr std::size_t most_reads = 64;
    std::array<char, 4096> bytes{};
    static_cast<void>(::send(socket, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    ::shutdown(socket, SHUT_WR);
    for (std::size_t i = 0; i < most_reads; ++i) {
        if (::recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT) <= 0) break;
    }
}

}  // namespace vgg19::http
