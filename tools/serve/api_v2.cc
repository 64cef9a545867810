// /v2: the Open Inference Protocol; each variant is a model.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "bench/machine.h"
#include "engine/model/network.h"
#include "tools/serve/application.h"
#include "tools/serve/infer.h"

namespace vgg19::server {

namespace {

using model::Json;

constexpr const char* header_length = "Inference-Header-Content-Length";

class InferTask final : public Task {
  public:
    InferTask(Variants& variants, std::size_t variant, std::string body,
              std::optional<std::size_t> json_bytes)
        : variants_(variants), variant_(variant), body_(std::move(body)), json_bytes_(json_bytes) {}

    void work() noexcept override {
        try {
            if (!is_cancelled()) answer_ = infer();
        } catch (...) {
            failure_ = current_problem();
        }
    }

    void give_up() noexcept override { failure_ = reason(); }

    /// Only when finished. Throws the Problem that occurred.
    const InferAnswer& answer() const {
        if (failure_) throw Problem(*failure_);
        return answer_;
    }

  private:
    InferAnswer infer() {
        const std::string body = std::move(body_);
        const InferRequest request =
            parse_infer_request(body, json_bytes_, variants_.session(variant_).input_size());
        std::vector<float> logits(request.images * variants_.session(variant_).model().classes());
        variants_.infer(variant_, request.input, logits, [this] { return is_cancelled(); });
        return infer_answer(variants_.ids()[variant_], request, logits);
    }

    Variants& variants_;
    std::size_t variant_;
    std::string body_;
    std::optional<std::size_t> json_bytes_;
    InferAnswer answer_;
    std::optional<Problem> failure_;
};

Json tensor_json(const char* name, const std::vector<std::size_t>& shape_of_one) {
    Json shape;
    shape.push(-1);
    for (const std::size_t size : shape_of_one) shape.push(std::uint64_t{size});
    Json json;
    json.set("name", name).set("datatype", tensor_type).set("shape", shape);
    return json;
}

/// {key: true}
Json yes(const char* key) {
    Json json;
    return json.set(key, true);
}

}  // namespace

void Application::add_v2(std::vector<Route>& routes) {
    const auto add = [&](const char* pattern, std::function<void(Exchange&)> handler) {
        routes.push_back({.pattern = pattern, .method = "GET", .handler = std::move(handler)});
    };
    add("/v2", [](Exchange& exchange) {
        Json json;
        json.set("name", "vgg19").set("version", bench::describe_build().version);
        json.set("extensions", Json::Array{"binary_tensor_data"});
        answer_json(exchange.response, 200, json);
    });
    add("/v2/health/live", [](Exchange& exchange) { answer_json(exchange.response, 200, yes("live")); });
    add("/v2/health/ready", [this](Exchange& exchange) {
        if (server_.is_stopping()) throw Problem(503, "stopping", "the server is stopping");
        answer_json(exchange.response, 200, yes("ready"));
    });
    add("/v2/models/{id}", [this](Exchange& exchange) { describe_model(exchange); });
    add("/v2/models/{id}/ready", [this](Exchange& exchange) {
        Json json;
        json.set("name", variants_.ids()[model_of(exchange)]).set("ready", true);
        answer_json(exchange.response, 200, json);
    });
    routes.push_back({.pattern = "/v2/models/{id}/infer",
                      .method = "POST",
                      .body = Body::tensor,
                      .handler = [this](Exchange& exchange) { infer(exchange); },
                      .admit = [this] { queue_.require_place(); }});
}

std::size_t Application::model_of(const Exchange& exchange) const {
    const std::optional<std::size_t> variant = variants_.find(exchange.id);
    if (!variant) throw Problem(404, "not_found", "there is no model '" + exchange.id + "'");
    return *variant;
}

void Application::describe_model(Exchange& exchange) const {
    const std::size_t variant = model_of(exchange);
    const Session& session = variants_.session(variant);
    Json inputs;
    inputs.push(tensor_json(
        input_name, {model::image_channels, session.input_size().height, session.input_size().width}));
    Json outputs;
    outputs.push(tensor_json(output_name, {session.model().classes()}));
    Json json;
    json.set("name", variants_.ids()[variant]).set("platform", "vgg19.cpp");
    json.set("inputs", inputs).set("outputs", outputs);
    answer_json(exchange.response, 200, json);
}

void Application::infer(Exchange& exchange) {
    const std::size_t variant = model_of(exchange);
    std::optional<std::size_t> json_bytes;
    if (const std::string* text = exchange.head.find("inference-header-content-length"); text != nullptr) {
        json_bytes = whole_number(*text);
        if (!json_bytes) {
            throw Problem(400, "bad_request", std::string(header_length) + ": expected a whole number");
        }
    }
    const auto task = std::make_shared<InferTask>(variants_, variant, std::move(exchange.body), json_bytes);
    Finish finish;
    task->when_finished([&] { finish.set(); });
    queue_.submit(task);
    wait_for(task, finish, exchange);
    const InferAnswer& answer = task->answer();
    if (answer.json_bytes) {
        exchange.response.set_header(header_length, std::to_string(*answer.json_bytes));
    }
    exchange.response.status = 200;
    exchange.response.set_content(answer.body,
                                  answer.json_bytes ? "application/octet-stream" : "application/json");
}

}  // namespace vgg19::server
