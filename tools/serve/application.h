// The whole server: variants, queue, jobs and routes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "converter/variants/variants.h"
#include "tools/serve/http_server.h"
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
    /// May be called from any thread, once, after bind().
    void stop();

  private:
    std::vector<Route> routes();
    void add_assets(std::vector<Route>& routes) const;
    void add_v1(std::vector<Route>& routes);
    void add_v2(std::vector<Route>& routes);

    model::Json models_json() const;
    void classify(Exchange& exchange);
    void create_job(Exchange& exchange);
    void tell_events(Exchange& exchange);
    std::size_t model_of(const Exchange& exchange) const;
    void describe_model(Exchange& exchange) const;
    void infer(Exchange& exchange);
    /// Waits until the task is finished. If the client disconnects, cancels and withdraws the task.
    void wait_for(const std::shared_ptr<Task>& task, const Finish& finish, const Exchange& exchange);

    const Settings settings_;
    Metrics metrics_;
    MemoryBudget budget_{std::size_t{1500} * 1000000};
    Variants variants_;
    JobStore jobs_;
    WorkQueue queue_;
    HttpServer server_;
    Finish stopped_;  ///< set when stop() has finished
};

}  // namespace vgg19::server
