// A program that embeds the library: MODEL IMAGE → class and probability, one line each.
#include <cstdio>
#include <vgg19/vgg19.hpp>

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    try {
        const vgg19::Model model = vgg19::Model::open(argv[1]);
        vgg19::Session session(model, {.threads = 2, .input_height = 32, .input_width = 32});
        const vgg19::Image image = vgg19::load_image(argv[2]);
        for (const vgg19::Prediction& prediction : session.classify(image.view(), 3)) {
            std::printf("%zu %.6f\n", prediction.class_index, static_cast<double>(prediction.probability));
        }
    } catch (const vgg19::Error& error) {
        std::fprintf(stderr, "consumer: %s\n", error.what());
        return 1;
    }
}
