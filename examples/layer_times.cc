// Shows where the time goes: the steps that a session runs, which kernel computes each, and how long it
// takes.
//
//     vgg19-example-layer-times MODEL IMAGE
//
// Prints a line for each step: microseconds (the least of five runs), multiply-accumulates per second, layer
// and kernel.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <vector>
#include <vgg19/vgg19.hpp>

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s MODEL IMAGE\n", argv[0]);
        return 2;
    }
    try {
        const vgg19::Model model = vgg19::Model::open(argv[1]);
        vgg19::Session session(model, {.outputs = {"logits"}});

        // classify() does these three steps itself: preprocess, run, predictions. Calling them directly also
        // gives the logits, and the time of each step.
        std::vector<float> input(3 * session.input_size().pixels());
        std::vector<float> logits(model.classes());
        session.preprocess(vgg19::load_image(argv[2]).view(), input);

        const std::vector<vgg19::PlanStep>& plan = session.plan();
        std::vector<double> best(plan.size(), std::numeric_limits<double>::infinity());
        std::vector<double> seconds(plan.size());
        for (int run = 0; run < 5; ++run) {
            session.run(input, logits, seconds);
            for (std::size_t step = 0; step < best.size(); ++step) {
                best[step] = std::min(best[step], seconds[step]);
            }
        }
        for (std::size_t step = 0; step < plan.size(); ++step) {
            std::printf("%10.1f us %8.2f GMAC/s  %-24s %s\n", 1e6 * best[step],
                        static_cast<double>(plan[step].macs) / best[step] / 1e9, plan[step].layer.c_str(),
                        plan[step].kernel.c_str());
        }
        const vgg19::Prediction top = session.predictions(logits, 1).front();
        std::printf("class %zu, %.1f %%\n", top.class_index, 100.0 * static_cast<double>(top.probability));
    } catch (const vgg19::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
