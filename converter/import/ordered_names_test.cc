#include "converter/import/ordered_names.h"

#include <doctest/doctest.h>

#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "converter/import/names.h"
#include "engine/testing/error_of.h"

namespace {

using vgg19::ErrorKind;
using vgg19::converter::contiguous_strides;
using vgg19::converter::modules_of;
using vgg19::converter::recognise_vgg;
using vgg19::converter::StoredTensor;
using vgg19::converter::VggTensors;
using vgg19::model::Network;
using vgg19::testing::Containing;
using vgg19::testing::error_of;

/// The position of a convolution, all counted from 0.
struct Place {
    std::size_t k;
    std::size_t block;
    std::size_t in_block;
    bool is_norm;
};
using Naming = std::function<std::string(const Place&)>;

std::string text(std::size_t number) {
    return std::to_string(number);
}

std::vector<StoredTensor> checkpoint(int depth, bool batch_norm, const Naming& name) {
    std::vector<StoredTensor> tensors;
    const auto add = [&](const std::string& path, const std::vector<std::size_t>& shape) {
        tensors.push_back({.name = path, .shape = shape, .strides = contiguous_strides(shape)});
    };
    Place place{};
    const Network network = Network::vgg(depth);
    for (const auto& layer : network.convolutions()) {
        place.is_norm = false;
        const std::size_t width = layer.output_channels / 64;
        add(name(place) + ".weight", {width, place.k == 0 ? 3 : layer.input_channels / 64, 3, 3});
        add(name(place) + ".bias", {width});
        place.is_norm = true;
        for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
            if (batch_norm) add(name(place) + part, {width});
        }
        place.in_block = layer.pool_follows ? 0 : place.in_block + 1;
        place.block += layer.pool_follows ? 1U : 0U;
        ++place.k;
    }
    add("head.weight", {5, 8});
    add("head.bias", {5});
    return tensors;
}

VggTensors found(const std::vector<StoredTensor>& tensors) {
    return recognise_vgg(modules_of(tensors), "file");
}

TEST_CASE("convolutions may have any name with numbers in it") {
    const Naming namings[] = {
        [](const Place& p) {
            return "block" + text(p.block + 1) + '.' + text(3 * p.in_block + (p.is_norm ? 1 : 0));
        },
        [](const Place& p) {
            return "net.blocks." + text(p.block) + ".layers." + text(2 * p.in_block + (p.is_norm ? 1 : 0));
        },
        [](const Place& p) { return "layer" + text(p.k + 1) + (p.is_norm ? ".1" : ".0"); },
        [](const Place& p) { return (p.is_norm ? "bn" : "conv") + text(p.k + 1); },
        [](const Place& p) { return (p.is_norm ? "bns." : "convs.") + text(p.k); },
        [](const Place& p) { return "features." + text(p.k + p.block) + (p.is_norm ? ".bn" : ".conv"); },
        [](const Place& p) {
            return "conv" + text(p.block + 1) + '.' + text(3 * p.in_block + (p.is_norm ? 1 : 0));
        },
        [](const Place& p) { return "layers." + text(4 * p.k + p.block + (p.is_norm ? 1 : 0)); },
    };
    for (const int depth : {11, 13, 16, 19}) {
        for (const bool batch_norm : {false, true}) {
            for (std::size_t index = 0; index < std::size(namings); ++index) {
                const Naming& naming = namings[index];
                CAPTURE(depth);
                CAPTURE(batch_norm);
                CAPTURE(index);
                const VggTensors vgg = found(checkpoint(depth, batch_norm, naming));
                const auto layers = Network::vgg(depth).convolutions();
                CHECK(vgg.title == "VGG-" + std::to_string(depth) + (batch_norm ? " with batch norm" : ""));
                REQUIRE(vgg.convolution_paths.size() == layers.size());
                CHECK(vgg.left.empty());
                Place place{};
                for (std::size_t k = 0; k < layers.size(); ++k) {
                    CHECK(vgg.convolution_paths[k] == naming(place));
                    CHECK(vgg.layers[k].batch_norm.has_value() == batch_norm);
                    place.in_block = layers[k].pool_follows ? 0 : place.in_block + 1;
                    place.block += layers[k].pool_follows ? 1U : 0U;
                    ++place.k;
                }
            }
        }
    }
    const VggTensors vgg = found(checkpoint(16, false, namings[0]));
    REQUIRE(vgg.notes.size() == 1);
    CHECK(vgg.notes[0] ==
          "convolutions in the order of the numbers in their names, block1.0 to block5.6, with "
          "pools where a VGG-16 has them");
}

TEST_CASE("numbers that imply another network are not a VGG's") {
    const auto refused = [](int depth, bool batch_norm, const Naming& naming) {
        return error_of(ErrorKind::bad_input, [&] { found(checkpoint(depth, batch_norm, naming)); });
    };
    // A ReLU between convolution and batch norm.
    CHECK(refused(11, true, [](const Place& p) { return "layer" + text(p.k) + (p.is_norm ? ".2" : ".0"); }) ==
          Containing("running_var: not in a VGG-11"));
    // Pools after every second convolution, and after the fourth of every block.
    CHECK(refused(16, false, [](const Place& p) { return "block" + text(p.k / 2) + '.' + text(p.k % 2); }) ==
          Containing("expected a VGG's tensors"));
    CHECK(refused(16, false, [](const Place& p) { return "layers." + text(2 * p.k + p.k / 4); }) ==
          Containing("expected a VGG's tensors"));
    // Missing convolutions of a torchvision network must still be reported.
    const auto layers = Network::vgg(19).convolutions();
    std::vector<StoredTensor> tensors =
        checkpoint(19, false, [&](const Place& p) { return "features." + text(layers[p.k].features_index); });
    std::erase_if(tensors, [](const StoredTensor& tensor) {
        const bool last_of_a_block = tensor.name.starts_with("features.16.") ||
                                     tensor.name.starts_with("features.25.") ||
                                     tensor.name.starts_with("features.34.");
        return last_of_a_block;
    });
    CHECK(error_of(ErrorKind::bad_input, [&] { found(tensors); }) ==
          Containing("features.16.weight: missing"));
}

}  // namespace

TEST_CASE("names that look like numbered ones without their numbers are others") {
    std::vector<StoredTensor> tensors;
    for (const char* name : {"c1x2", "c1x3", "c#x2", "c#x3", "c1x#", "c##"}) {
        const std::vector<std::size_t> shape = {3, 3, 3, 3};
        tensors.push_back(
            {.name = std::string(name) + ".weight", .shape = shape, .strides = contiguous_strides(shape)});
    }
    const auto modules = modules_of(tensors);
    CHECK(error_of(ErrorKind::bad_input, [&] { recognise_vgg(modules, "file"); }) ==
          Containing("file: expected a VGG's tensors"));
}
