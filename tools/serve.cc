// vgg19 serve
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bench/progress.h"
#include "converter/variants/variants.h"
#include "kernels/common/parallel.h"
#include "tools/command.h"
#include "tools/serve/application.h"
#include "tools/subcommands.h"
#include "vgg19/error.h"

namespace vgg19::tools {

namespace {

constexpr std::size_t megabyte = 1'000'000;
constexpr std::size_t most_upload_megabytes = 1024;

CommandLine command_line() {
    CommandLine line("serve",
                     "The dashboard: a page that classifies images with all variants side by side, and an "
                     "API for programs.\n"
                     "Prints the page's address when it is ready. SIGINT or SIGTERM stops it after running "
                     "requests, for which it\n"
                     "waits for --grace at most; a second one stops it at once. The API is described at "
                     "/openapi.json. Only JPEG and WebP can be "
                     "decoded at reduced size;\n"
                     "other pictures may have at most 100 megapixels, unless --max-megapixels is given.",
                     "[--models DIR | --real] [--port N]");
    line.option("models", "DIR",
                "folder with a VARIANT.safetensors per variant and, for accuracies, a report.json; default: "
                "all variants with seeded weights, which are created once in the cache folder")
        .flag("real",
              "all variants of torchvision's weights, which are made once in the cache folder, from the file "
              "that script/fetch-weights puts there")
        .option("variants", "LIST", "only these variants, separated by commas")
        .option("host", "ADDRESS", "address to listen on", "127.0.0.1")
        .option("port", "N", "port to listen on; 0: any free port", "8080")
        .option("allow-host", "LIST",
                "further names, with or without :PORT, that requests may have in Host, besides localhost and "
                "--host")
        .option("workers", "N",
                "requests that run at the same time; with more than one, measured times are longer", "1")
        .option("queue", "N", "requests that may wait; more are refused, with a time to retry", "16")
        .option("max-upload", "MB", "the largest request body",
                std::to_string(server::Limits{}.body_bytes / megabyte))
        .option(
            "memory", "MB",
            "what all requests together may take, in addition to the models: a quarter for bodies, answers "
            "and jobs' events, three quarters for requests that run; default: 1500, or ten times "
            "--max-upload if that is more")
        .option("timeout", "SECONDS", "time for a request to arrive", "20")
        .option("run-timeout", "SECONDS", "time for a request to run; what takes longer is cancelled", "300")
        .option("grace", "SECONDS", "time for running requests to end after SIGINT or SIGTERM", "20");
    add_image_options(line);
    add_cpu_options(line);
    add_convolution_option(line);
    add_plan_option(line);
    line.example("vgg19 serve --real").example("vgg19 serve --models models --port 0");
    return line;
}

std::vector<std::string> words(const std::string& list) {
    std::vector<std::string> words;
    for (std::size_t begin = 0; begin < list.size();) {
        const std::size_t end = std::min(list.find(',', begin), list.size());
        if (end > begin) words.push_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
    return words;
}

std::chrono::milliseconds time_option(const CommandLine& line, const char* name) {
    return std::chrono::milliseconds(static_cast<int>(1000 * line.number(name, 0.1, 3600)));
}

std::size_t memory_option(const CommandLine& line, std::size_t body_bytes) {
    constexpr std::size_t least_megabytes = 16;
    constexpr std::size_t most_megabytes = 1'000'000;
    constexpr std::size_t bodies = 10;
    if (!line.given("memory")) return std::max(server::Limits{}.memory_bytes, bodies * body_bytes);
    return line.whole_number("memory", least_megabytes, most_megabytes) * megabyte;
}

server::Settings settings_of(const CommandLine& line) {
    constexpr std::size_t most_workers = 64;
    constexpr std::size_t longest_queue = 1024;
    server::Settings settings;
    settings.host = line.text("host");
    settings.port = static_cast<int>(line.whole_number("port", 0, 65535));
    settings.allowed_hosts = words(line.text("allow-host"));
    settings.workers = line.whole_number("workers", 1, most_workers);
    settings.queue = line.whole_number("queue", 1, longest_queue);
    settings.session.threads = threads_option(line);
    settings.session.isa = line.text("isa");
    settings.session.convolution = line.text("conv");
    settings.session.plan_file = plan_file_option(line);
    settings.limits.body_bytes = line.whole_number("max-upload", 1, most_upload_megabytes) * megabyte;
    // A user-defined limit applies to all formats.
    const std::size_t most_irreducible = settings.limits.image.limits.max_irreducible_pixels;
    settings.limits.image = image_options(line);
    if (!line.given("max-megapixels")) {
        settings.limits.image.limits.max_irreducible_pixels = most_irreducible;
    }
    settings.limits.memory_bytes = memory_option(line, settings.limits.body_bytes);
    settings.limits.http.request = time_option(line, "timeout");
    settings.limits.run = time_option(line, "run-timeout");
    settings.limits.grace = time_option(line, "grace");
    return settings;
}

/// Returns a request's memory to the system, whichever thread used it: otherwise malloc keeps an arena per
/// thread, and raises its threshold for large blocks after they are freed.
void keep_memory_flat() {
    constexpr int large_block = 128 << 10;
    ::mallopt(M_ARENA_MAX, 1);
    ::mallopt(M_MMAP_THRESHOLD, large_block);
    ::mallopt(M_TRIM_THRESHOLD, large_block);
}

/// Blocks SIGINT and SIGTERM in this thread and in all threads created later, except the one that waits for
/// them.
sigset_t take_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

/// Where there is no memory to say it, it is left unsaid.
void say(const char* text) noexcept {
    try {
        bench::say(text);
    } catch (const std::exception&) {
    }
}

/// Exits with the code that a shell reports for a process killed by this signal.
[[noreturn]] void end_at_once(int signal) {
    constexpr int killed = 128;
    ::_exit(killed + signal);
}

/// A thread that waits for signals during the whole life of the process.
class SignalThread {
  public:
    SignalThread() : signals_(take_signals()), thread_([this] { wait(); }) { thread_.detach(); }

    /// From now on, until it is null, the first signal stops `application`. What runs has so long to end.
    void stops(server::Application* application, std::chrono::milliseconds grace = {}) {
        const std::scoped_lock lock(mutex_);
        application_ = application;
        grace_ = grace;
    }

  private:
    /// 0 if none came in time.
    int signal_within(std::chrono::milliseconds time) const {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
        const timespec limit{.tv_sec = seconds.count(),
                             .tv_nsec = std::chrono::nanoseconds(time - seconds).count()};
        return std::max(sigtimedwait(&signals_, nullptr, &limit), 0);
    }

    /// Ends the process in any case.
    [[noreturn]] void wait() {
        constexpr std::chrono::hours long_time{24};
        constexpr std::chrono::seconds for_cancelled_work{5};
        int signal = 0;
        while (signal == 0) signal = signal_within(long_time);
        const std::chrono::milliseconds grace = tell_application([](server::Application& application) {
            application.stop();
            say("stopping after running requests");
        });
        if (grace.count() == 0) end_at_once(signal);
        if (const int second = signal_within(grace)) end_at_once(second);
        tell_application([](server::Application& application) { application.end_running(); });
        if (const int second = signal_within(for_cancelled_work)) end_at_once(second);
        end_at_once(signal);
    }

    /// Returns the time for what runs; 0 if there is no application.
    template <class Tell>
    std::chrono::milliseconds tell_application(const Tell& tell) {
        const std::scoped_lock lock(mutex_);
        if (application_ != nullptr) tell(*application_);
        return application_ != nullptr ? grace_ : std::chrono::milliseconds(0);
    }

    sigset_t signals_;
    std::mutex mutex_;
    server::Application* application_ = nullptr;
    std::chrono::milliseconds grace_{0};
    std::thread thread_;
};

std::vector<converter::Variant> chosen_variants(const CommandLine& line, const std::vector<std::string>& ids,
                                                int threads) {
    const converter::MakingProgress progress = {.say = bench::say, .shown = bench::percent_shown};
    if (line.given("models")) return converter::variants_in(line.text("models"), ids);
    if (line.given("real")) return converter::published_variants(ids, progress);
    return converter::seeded_variants(ids, threads, progress);
}

}  // namespace

int serve(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;
    line.no_arguments();
    server::Settings settings = settings_of(line);
    const std::chrono::milliseconds grace = settings.limits.grace;
    const std::vector<std::string> ids = words(line.text("variants"));
    const std::string folder = line.text("models");
    if (line.given("models") && line.given("real")) {
        throw Error(ErrorKind::usage, "--models and --real exclude each other");
    }

    keep_memory_flat();
    static SignalThread signals;  // static, because its thread runs until the process ends
    const int threads = settings.session.threads > 0 ? settings.session.threads : kernels::available_cpus();
    const std::vector<converter::Variant> variants = chosen_variants(line, ids, threads);
    server::Application application(std::move(settings), variants);
    if (!folder.empty()) application.variants().read_report(folder);
    const std::string address = application.bind();
    signals.stops(&application, grace);
    std::cout << address << std::endl;
    try {
        application.run();
    } catch (...) {
        signals.stops(nullptr);
        throw;
    }
    signals.stops(nullptr);
    return exit_done;
}

}  // namespace vgg19::tools
