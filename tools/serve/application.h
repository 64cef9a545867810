// The whole server: variants, queue, jobs and routes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "converter/variants/variants.h"
#include "tools/serve/answers.h"
#include "tools/serve/http/server.h"
#include "tools/serve/job_store.h"
#include "tools/serve/limits.h"
#include "tools/serve/metrics.h"
#include "tools/serve/variants.h"
#include "tools/serve/work_queue.h"
#include "vgg19/session.h"

namespace vgg19::server {

struct Settings {
    std::string host = "127.0.0.1";
    int port = 8080;  ///< 0: any that is free
    std::vector<std::string> allowed_hosts;
    std::size_t workers = 1;  ///< requests that run at the same time
    std::size_t queue = 16;   ///< requests that may wait
    SessionOptions session;
    Limits limits;
};

class Application {
  public:
    Application(Settings settings, const std::vector<converter::Variant>& variants);

    Variants& variants() { return variants_; }

    /// Starts to accept connections, which are answered as soon as run() is called. Returns the page's
    /// address. Throws Error (failed).
    std::string bind();
    /// Serves until stop() is called and running work is finished. Throws Error (failed) if no more
    /// connections can be accepted.
    void run();
    /// May be called from any thread, once, after bind() and before run() returns. Drops what waits; what
    /// runs may end, until end_running() is called.
    void stop() noexcept;
    /// Asks requests that run to end at once.
    void end_running() noexcept { queue_.cancel_running(); }

  private:
    http::Options server_options();
    std::vector<http::Route> routes();
    void add_assets(std::vector<http::Route>& routes) const;
    void add_v1(std::vector<http::Route>& routes);
    void add_v2(std::vector<http::Route>& routes);

    /// Takes a request's body from the exchange, with the memory that it is accounted for.
    using BodyHandler = std::function<void(const ExchangePtr&, Reservation)>;
    /// A route that needs a place in the queue, a body of that kind, and memory for it.
    http::Route queued_route(const char* pattern, Body body, BodyHandler handle);
    /// On a worker that has nothing to do; `has_run` tells whether it has run a task since the last time.
    void tidy(bool has_run) noexcept;
    void admit(const ExchangePtr& exchange, Body body);
    /// Throws Problem (503) if they are not free.
    Reservation held_memory(std::size_t bytes);

    model::Json models_json() const;
    std::shared_ptr<Job> new_job(http::Exchange& exchange, JobRequest request, Reservation memory);
    void classify(const ExchangePtr& exchange, Reservation memory);
    void create_job(const ExchangePtr& exchange, Reservation memory);
    void tell_events(const ExchangePtr& exchange);
    std::size_t model_of(const http::Request& request) const;
    http::Answer model_description(const http::Request& request) const;
    void infer(const ExchangePtr& exchange, Reservation memory);
    /// Queues the task. Answers with what `answer` returns when the task is finished; it may throw. If the
    /// client leaves, cancels and withdraws the task.
    void submit(const ExchangePtr& exchange, const std::shared_ptr<Task>& task,
                std::function<http::Answer()> answer);

    const Settings settings_;
    Metrics metrics_;
    MemoryBudget budget_;
    Variants variants_;
    JobStore jobs_;
    WorkQueue queue_;
    std::string models_text_;  ///< the answer of /v1/models, which takes milliseconds to make; set by bind()
    http::Server server_;
};

}  // namespace vgg19::server
