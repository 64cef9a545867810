#include "bench/worker.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <utility>

#include "bench/bench_image.h"
#include "bench/machine.h"
#include "bench/worker_job.h"
#include "engine/model/model_access.h"
#include "engine/model/number_text.h"
#include "engine/model/safetensors.h"
#include "kernels/common/thread_limit.h"
#include "vgg19/error.h"
#include "vgg19/session.h"

namespace vgg19::bench {

namespace {

constexpr std::size_t most_runs = 1'000'000;

std::string shape_text(const std::vector<std::size_t>& shape) {
    std::string text(1, '(');
    for (const std::size_t side : shape) {
        text.append(text.size() == 1 ? "" : ",").append(std::to_string(side));
    }
    return text.append(")");
}

/// An input tensor with one image or a batch, and its size.
struct Input {
    std::vector<float> values;
    MapSize size{};
};

Input read_input(const std::filesystem::path& path, std::size_t batch) {
    const auto file = model::SafetensorsFile::open(path);
    const model::Tensor* tensor = file.find("input");
    if (tensor == nullptr) {
        throw Error(ErrorKind::bad_input, path.string() + ": expected a tensor \"input\", found none");
    }
    const std::vector<std::size_t>& shape = tensor->shape;
    const bool is_input = shape.size() == 4 && (shape[0] == 1 || shape[0] == batch) && shape[1] == 3;
    if (!is_input || tensor->dtype != model::DType::f32) {
        const std::string or_batch = batch == 1 ? "" : " or (" + std::to_string(batch) + ",3,H,W)";
        throw Error(ErrorKind::bad_input, path.string() + ": tensor input: expected F32 (1,3,H,W)" +
                                              or_batch + ", found " + model::dtype_name(tensor->dtype) + ' ' +
                                              shape_text(shape));
    }
    const std::span<const float> values = tensor->as<float>();
    Input input{.values = {values.begin(), values.end()}, .size = {shape[2], shape[3]}};
    fill_batch(input.values, batch / shape[0]);
    return input;
}

/// The two sizes that the command line can give must agree.
MapSize input_size(const Options& options, const Input& input) {
    if (options.input && !options.size.empty() && options.size != input.size) {
        throw Error(ErrorKind::bad_input, options.input->string() + ": tensor input: expected size " +
                                              to_string(options.size) + ", found " + to_string(input.size));
    }
    return options.input ? input.size : options.size;
}

std::size_t requested_runs(const std::string& line) {
    std::size_t runs = 0;
    const char* const end = line.data() + line.size();
    const auto [stop, error] = std::from_chars(line.data(), end, runs);
    if (error != std::errc() || stop != end || runs == 0 || runs > most_runs) {
        throw Error(ErrorKind::usage, "--worker: expected a number of runs, 1 to " +
                                          std::to_string(most_runs) + ", found \"" + line + "\"");
    }
    return runs;
}

void say_ready(const WorkerJob& job) {
    constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;
    std::cout << "ready " << peak_rss_bytes("self") / mebibyte;
    for (const std::size_t index : job.top()) std::cout << ' ' << index;
    std::cout << std::endl;
}

}  // namespace

void run_worker(const Options& options) {
    const kernels::ThreadLimit limit(options.threads);
    Input input = options.input ? read_input(*options.input, options.batch) : Input{};
    Session session(model::map_model(*options.worker), session_options(options, input_size(options, input)));
    if (!options.input) {
        input.values.resize(3 * session.input_size().pixels());
        session.preprocess(bench_image(options.image).view(), input.values);
        fill_batch(input.values, options.batch);
    }
    WorkerJob job(session, std::move(input.values), options.backward);
    job.run();
    job.run();
    say_ready(job);

    for (std::string line; std::cout && std::getline(std::cin, line);) {
        if (line == "hash") {
            std::cout << job.hash() << std::endl;
            continue;
        }
        std::string times;
        for (std::size_t runs = requested_runs(line); runs > 0; --runs) {
            const auto start = std::chrono::steady_clock::now();
            job.run();
            const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
            times.append(times.empty() ? "" : " ").append(fixed(seconds.count(), 9));
        }
        std::cout << times << std::endl;
    }
}

}  // namespace vgg19::bench
