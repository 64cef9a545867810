// Classifies photographs: a model, a session, an image.
//
//     vgg19-example-classify MODEL IMAGE…
//
// MODEL is a file that `vgg19 convert` wrote. Prints the five most probable classes of each image.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <vgg19/vgg19.hpp>

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: %s MODEL IMAGE…\n", argv[0]);
        return 2;
    }
    try {
        // Opening maps the file and checks it; weights are read when a session packs them.
        const vgg19::Model model = vgg19::Model::open(argv[1]);
        // Creating a session takes memory and about a second: create it once, and use it for every image. By
        // default it uses as many threads as this process has CPUs, and the model's input size.
        vgg19::Session session(model);
        const std::size_t top = std::min<std::size_t>(5, model.classes());
        for (int i = 2; i < argc; ++i) {
            // JPEG, PNG, WebP, …, with the EXIF orientation applied. If you already have pixels, fill in a
            // vgg19::ImageView instead.
            const vgg19::Image image = vgg19::load_image(argv[i]);
            std::printf("%s\n", argv[i]);
            for (const vgg19::Prediction& prediction : session.classify(image.view(), top)) {
                std::printf("  %5.1f %%  %4zu  %.*s\n", 100.0 * static_cast<double>(prediction.probability),
                            prediction.class_index, static_cast<int>(prediction.label.size()),
                            prediction.label.data());
            }
        }
    } catch (const vgg19::Error& error) {
        // The message names the file, what was expected and what was found.
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
