// vgg19 compare
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/table.h"
#include "engine/image/formats.h"
#include "engine/image/preprocess.h"
#include "engine/model/json.h"
#include "engine/model/map_size.h"
#include "engine/model/model_access.h"
#include "engine/model/model_file.h"
#include "engine/model/network.h"
#include "tools/command.h"
#include "tools/layer_names.h"
#include "tools/model_option.h"
#include "tools/perceptual/distance.h"
#include "tools/perceptual/heat_map.h"
#include "tools/picture_sizes.h"
#include "tools/png_file.h"
#include "tools/subcommands.h"
#include "tools/text.h"
#include "vgg19/error.h"
#include "vgg19/image.h"
#include "vgg19/session.h"

namespace vgg19::tools {

namespace {

using model::Json;

constexpr std::size_t usual_long_side = 1024;

CommandLine command_line() {
    CommandLine line(
        "compare",
        "Compares two pictures as a network sees them. A layer's distance is the mean over its "
        "pixels of\n"
        "|a/|a| - b/|b||^2, where a and b are the vectors of channels: 0 for equal pictures, 2 for "
        "directions without\n"
        "anything in common. The sum over layers is the perceptual distance of Zhang et al. 2018 "
        "(LPIPS) without\n"
        "learned weights. PSNR, of the pixels, is shown beside it.",
        "[-m MODEL] A B\n\nA, B: pictures of the same size: " + readable_formats());
    add_model_option(line);
    line.list_option("layers", "LIST",
                     std::string("the layers, by names: ") + layer_names_help +
                         "; default: the last ReLU before each pool")
        .option("heatmap", "FILE",
                "write a PNG that shows where the pictures differ: A in grey, with the layers' distances, "
                "enlarged and added, in colours over it (their layers must be maps)")
        .option("hottest", "D",
                "the distance that the heat map's lightest colour means; default: the largest in the map")
        .option("long-side", "N",
                "scale both pictures so that their longer side has this many pixels; default: their own, but "
                "at most " +
                    std::to_string(usual_long_side))
        .option("size", "SIZE",
                "instead, resize and crop both to this size, as for classification: 224, or height x width; "
                "then they may differ in size")
        .flag("json",
              "print an object: a, b, size, layers (each layer and distance), distance, psnr (null "
              "where the pixels are equal)");
    add_cpu_options(line);
    add_convolution_option(line);
    add_plan_option(line);
    add_image_options(line);
    line.example("vgg19 compare -m vgg19.safetensors original.png restored.png --heatmap where.png")
        .example("vgg19 compare -m vgg19.safetensors a.jpg b.jpg --layers relu5_4,fc7 --size 224 --json");
    return line;
}

struct Pair {
    Image a;
    Image b;
};

/// Both in the same size, as the options have it.
Pair read_pair(const CommandLine& line, const Model& model, const std::string& a, const std::string& b) {
    const ImageOptions options = image_options(line);
    Pair pair = {load_image(a, options), load_image(b, options)};
    if (line.given("size")) {
        if (line.given("long-side")) {
            throw Error(ErrorKind::usage, "--size and --long-side exclude each other");
        }
        const MapSize size = feature_size_option(line, "size");
        const double ratio = model.preprocessing().resize_ratio;
        return {resize_and_crop(pair.a.view(), ratio, size), resize_and_crop(pair.b.view(), ratio, size)};
    }
    const MapSize size = size_of(pair.a);
    if (!(size == size_of(pair.b))) {
        throw Error(ErrorKind::usage, b + ": expected " + model::pixels_text(size) +
                                          " pixels (height x width) as " + a + " has, found " +
                                          model::pixels_text(size_of(pair.b)) +
                                          "; --size crops both to one size");
    }
    const MapSize scaled = long_side_option(line, size, usual_long_side);
    return {resized(std::move(pair.a), scaled), resized(std::move(pair.b), scaled)};
}

void require_maps(const Session& session) {
    for (const Output& output : session.outputs()) {
        if (output.shape.size() == 4) continue;
        throw Error(ErrorKind::usage, "--heatmap: expected layers that are maps, found " + output.name);
    }
}

struct LayerDistance {
    std::string layer;
    MapSize size{};
    std::vector<float> pixels;
    double distance = 0;
};

std::vector<LayerDistance> distances(Session& session, const Pair& pair) {
    const Preprocessing& preprocessing = session.model().preprocessing();
    std::vector<float> input = input_of(pair.a, preprocessing);
    const std::vector<float> other = input_of(pair.b, preprocessing);
    input.insert(input.end(), other.begin(), other.end());
    std::vector<std::vector<float>> results;
    for (const Output& output : session.outputs()) results.emplace_back(output.size());
    const std::vector<std::span<float>> spans(results.begin(), results.end());
    session.run(input, spans);

    std::vector<LayerDistance> layers;
    for (std::size_t i = 0; i < results.size(); ++i) {
        const Output& output = session.outputs()[i];
        LayerDistance layer = {.layer = output.name, .size = 1};
        if (output.shape.size() == 4) layer.size = {output.shape[2], output.shape[3]};
        const auto values = std::span<const float>(results[i]);
        const auto half = values.size() / 2;
        layer.pixels = pixel_distances({values.first(half), output.shape[1], layer.size},
                                       {values.subspan(half), output.shape[1], layer.size});
        layer.distance = mean(layer.pixels);
        layers.push_back(std::move(layer));
    }
    return layers;
}

void write_heat_map(const std::filesystem::path& path, const Image& picture,
                    const std::vector<LayerDistance>& layers, double hottest) {
    std::vector<float> heat(size_of(picture).pixels());
    for (const LayerDistance& layer : layers) {
        const std::vector<float> large = enlarged(layer.pixels, layer.size, size_of(picture));
        std::transform(heat.begin(), heat.end(), large.begin(), heat.begin(), std::plus<>());
    }
    const auto most = static_cast<double>(*std::max_element(heat.begin(), heat.end()));
    if (hottest == 0) hottest = most > 0 ? most : 1;
    write_png(path, heat_map(picture.view(), heat, hottest).view());
    std::cerr << path.string() << ": the lightest colour is a distance of "
              << shortest_text(static_cast<float>(hottest)) << "; the largest in the map is "
              << shortest_text(static_cast<float>(most)) << '\n';
}

double sum(const std::vector<LayerDistance>& layers) {
    double sum = 0;
    for (const LayerDistance& layer : layers) sum += layer.distance;
    return sum;
}

void print_text(const std::vector<LayerDistance>& layers, double noise) {
    constexpr int digits = 6;
    Table table({"layer", "distance"});
    for (const LayerDistance& layer : layers) table.add({layer.layer, fixed(layer.distance, digits)});
    table.add_total({"all", fixed(sum(layers), digits)});
    std::cout << table;
    std::cout << "PSNR " << (std::isinf(noise) ? "infinite (equal pixels)" : fixed(noise, 2) + " dB") << '\n';
}

Json to_json(const std::string& a, const std::string& b, MapSize size,
             const std::vector<LayerDistance>& layers, double noise) {
    Json list = Json::Array{};
    for (const LayerDistance& layer : layers) {
        list.push(Json::Object{{"layer", layer.layer}, {"distance", layer.distance}});
    }
    Json json;
    json.set("a", a).set("b", b).set("size", model::size_json(size)).set("layers", std::move(list));
    return json.set("distance", sum(layers)).set("psnr", noise);
}

}  // namespace

int compare(int argc, char** argv) {
    CommandLine line = command_line();
    if (!line.parse(argc, argv)) return exit_done;
    const std::string model_path = model_option(line);
    const std::vector<std::string> pictures = line.arguments("two pictures");
    if (pictures.size() != 2) {
        throw Error(ErrorKind::usage, "expected two pictures, found " + std::to_string(pictures.size()) +
                                          "; see: vgg19 compare --help");
    }
    SessionOptions options;
    options.outputs = layer_list(line, "layers");
    const std::string heat_path = line.text("heatmap");
    if (!heat_path.empty()) {
        check_png_destination(heat_path);
        for (const std::string& input : {model_path, pictures[0], pictures[1]}) {
            model::require_other_file(input, heat_path);
        }
    }
    if (line.given("hottest") && heat_path.empty()) {
        throw Error(ErrorKind::usage, "--hottest is only for --heatmap");
    }
    constexpr double most_distance = 1e6;
    const double hottest = line.given("hottest") ? line.number("hottest", 1e-9, most_distance) : 0;

    const Model model = model::map_model(model_path);
    if (options.outputs.empty()) options.outputs = last_relus(model);
    const Pair pair = read_pair(line, model, pictures[0], pictures[1]);
    options.set_input_size(size_of(pair.a));
    options.batch = 2;
    options.threads = threads_option(line);
    options.isa = line.text("isa");
    options.convolution = line.text("conv");
    options.plan_file = plan_file_option(line);
    Session session(model, options);
    if (!heat_path.empty()) require_maps(session);
    const std::vector<LayerDistance> layers = distances(session, pair);
    if (!heat_path.empty()) write_heat_map(heat_path, pair.a, layers, hottest);
    const double noise = peak_signal_to_noise(pair.a.rgb, pair.b.rgb);
    if (line.given("json")) {
        std::cout << to_json(pictures[0], pictures[1], size_of(pair.a), layers, noise).dump(2) << '\n';
    } else {
        print_text(layers, noise);
    }
    return exit_done;
}

}  // namespace vgg19::tools
