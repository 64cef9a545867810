#include "tools/serve/http/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <system_error>
#include <thread>
#include <utility>

#include "tools/serve/http/connection.h"
#include "tools/serve/http/core.h"
#include "tools/serve/http/listener.h"

namespace vgg19::http {

namespace {

using boost::system::error_code;

constexpr std::chrono::milliseconds tick_time{100};

/// How many connections the process may have open, besides its other files.
std::size_t most_descriptors() {
    constexpr rlim_t for_others = 64;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return for_others;
    return static_cast<std::size_t>(
        std::max(limit.rlim_cur / 2, limit.rlim_cur - std::min(limit.rlim_cur, for_others)));
}

}  // namespace

class Server::Impl {
  public:
    explicit Impl(Options options)
        : core(std::move(options)),
          listener(core, [this] { arm(); }),
          mailbox_(core.context),
          timer_(core.context) {}
    ~Impl();
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    void run();
    void poll();
    void ask_to_stop(std::chrono::milliseconds grace) noexcept;

    Core core;
    Listener listener;

  private:
    void prepare();
    template <typename Function>
    void turn(const Function& function) noexcept;
    void throw_failure() const;
    void arm();
    void on_mail();
    void on_tick();
    void begin_stop() noexcept;
    void close_all() noexcept;
    template <typename Function>
    void for_each_connection(const Function& function);

    boost::asio::posix::stream_descriptor mailbox_;
    boost::asio::steady_timer timer_;
    bool mail_is_armed_ = false;
    bool tick_is_armed_ = false;
    bool has_begun_to_stop_ = false;
    std::atomic<Clock::rep> grace_end_ = 0;
};

Server::Impl::~Impl() {
    close_all();
    while (core.mailbox->take() != nullptr) {
    }
    if (mailbox_.is_open()) mailbox_.release();
}

/// A function may close its connection, and so take it out of the list.
template <typename Function>
void Server::Impl::for_each_connection(const Function& function) {
    for (auto next = core.connections.begin(); next != core.connections.end();) {
        const std::shared_ptr<Connection> connection = *next++;
        function(*connection);
    }
}

void Server::Impl::prepare() {
    if (mailbox_.is_open()) return;
    core.most_connections = std::min(core.most_connections, most_descriptors());
    mailbox_.assign(core.mailbox->descriptor());
}

void Server::Impl::run() {
    prepare();
    while (!listener.failure() && !(has_begun_to_stop_ && core.connections.empty())) {
        turn([this] { core.context.run(); });
    }
    close_all();
    listener.close();
    throw_failure();
}

void Server::Impl::poll() {
    prepare();
    turn([this] { core.context.poll(); });
    throw_failure();
}

template <typename Function>
void Server::Impl::turn(const Function& function) noexcept {
    try {
        listener.arm();
        arm();
        core.context.restart();
        function();
    } catch (...) {  // no memory to wait for something; connections deal with their own exceptions
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

void Server::Impl::throw_failure() const {
    if (listener.failure()) throw std::system_error(listener.failure(), "accept");
}

/// Waits for whatever is not waited for.
void Server::Impl::arm() {
    if (!mail_is_armed_) {
        mailbox_.async_wait(mailbox_.wait_read, [this](const error_code& error) {
            mail_is_armed_ = false;
            if (!error) on_mail();
            arm();
        });
        mail_is_armed_ = true;
    }
    if (!tick_is_armed_ && (!core.connections.empty() || !listener.is_armed())) {
        timer_.expires_after(tick_time);
        timer_.async_wait([this](const error_code& error) {
            tick_is_armed_ = false;
            if (!error) on_tick();
            arm();
        });
        tick_is_armed_ = true;
    }
}

void Server::Impl::on_mail() {
    core.mailbox->silence();
    while (const std::shared_ptr<PendingExchange> exchange = core.mailbox->take()) {
        if (exchange->connection != nullptr) exchange->connection->look_at_exchange();
    }
    if (core.stopping) begin_stop();
}

void Server::Impl::on_tick() {
    const Clock::time_point now = Clock::now();
    for_each_connection([&](Connection& connection) { connection.tick(now); });
    if (has_begun_to_stop_ && now.time_since_epoch().count() >= grace_end_) close_all();
    listener.arm();
}

void Server::Impl::ask_to_stop(std::chrono::milliseconds grace) noexcept {
    // So long that nobody lives to see its end, and short enough to be added to the time.
    constexpr std::chrono::hours longest{24 * 365};
    grace_end_ = (Clock::now() + std::min<Clock::duration>(grace, longest)).time_since_epoch().count();
    core.stopping = true;
    core.mailbox->ring();
}

void Server::Impl::begin_stop() noexcept {
    has_begun_to_stop_ = true;
    listener.close();
    for_each_connection([](Connection& connection) { connection.begin_stop(); });
    if (core.connections.empty()) core.context.stop();
}

void Server::Impl::close_all() noexcept {
    for_each_connection([](Connection& connection) { connection.close(); });
}

Server::Server(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Server::~Server() = default;

int Server::bind(const std::string& host, int port) {
    return impl_->listener.bind(host, port);
}

void Server::set_guard(std::function<void(const Request&)> guard) {
    impl_->core.guard = std::move(guard);
}

void Server::adopt(int socket) {
    impl_->core.adopt(socket, {});
}

void Server::run() {
    impl_->run();
}

void Server::poll() {
    impl_->poll();
}

void Server::stop(std::chrono::milliseconds grace) noexcept {
    impl_->ask_to_stop(grace);
}

bool Server::is_stopping() const noexcept {
    return impl_->core.stopping;
}

std::size_t Server::connections() const noexcept {
    return impl_->core.count;
}

}  // namespace vgg19::http
