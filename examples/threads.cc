// Classifies many photographs on several threads: one model, and a session for each thread.
//
//     vgg19-example-threads MODEL THREADS IMAGE…
//
// Prints the most probable class of each image, in the order of the command line. For throughput, sessions of
// one thread each are better than one session with all threads; for the least time of a single image it is
// the other way round.
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>
#include <vgg19/vgg19.hpp>

namespace {

/// One thread's work: takes the next image until none is left.
void work(const vgg19::Model& model, const std::vector<std::string>& images, std::atomic<std::size_t>& next,
          std::vector<std::string>& results) {
    // A session runs one input at a time, so each thread has its own. They share the model's mapping of the
    // file, but each packs its own weights, which take about as much memory as the file.
    vgg19::Session session(model, {.threads = 1});
    for (std::size_t i = next++; i < images.size(); i = next++) {
        // A bad file does not stop the others.
        try {
            const vgg19::Image image = vgg19::load_image(images[i]);
            const vgg19::Prediction best = session.classify(image.view(), 1).front();
            results[i] = images[i] + ": " + std::to_string(best.class_index) + " " + std::string(best.label);
        } catch (const vgg19::Error& error) {
            results[i] = error.what();
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    const long threads = argc < 4 ? 0 : std::strtol(argv[2], nullptr, 10);
    if (threads < 1 || threads > 256) {
        std::fprintf(stderr, "usage: %s MODEL THREADS IMAGE…, with 1 to 256 threads\n", argv[0]);
        return 2;
    }
    try {
        const vgg19::Model model = vgg19::Model::open(argv[1]);  // immutable, so all threads may use it
        const std::vector<std::string> images(argv + 3, argv + argc);
        std::vector<std::string> results(images.size());
        std::vector<std::string> failures(static_cast<std::size_t>(threads));
        std::atomic<std::size_t> next = 0;
        {
            std::vector<std::jthread> workers;  // joined at the end of this block
            for (std::string& failure : failures) {
                workers.emplace_back([&] {
                    try {
                        work(model, images, next, results);
                    } catch (const std::exception& error) {  // an exception must not leave the thread
                        failure = error.what();
                    }
                });
            }
        }
        for (const std::string& failure : failures) {
            if (failure.empty()) continue;
            std::fprintf(stderr, "%s\n", failure.c_str());
            return 1;
        }
        for (const std::string& result : results) std::printf("%s\n", result.c_str());
    } catch (const vgg19::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
