#include "engine/model/map_size.h"

#include <doctest/doctest.h>

#include "engine/model/network.h"

namespace vgg19::model {

TEST_CASE("a size is one number for a square, or height x width, and reads back") {
    CHECK(parse_map_size("224") == MapSize(224, 224));
    CHECK(parse_map_size("224x320") == MapSize(224, 320));
    CHECK(parse_map_size("7x7") == MapSize(7));
    for (const MapSize size : {MapSize(1), MapSize(32, 8192), MapSize(8192, 32), MapSize(0)}) {
        CHECK(parse_map_size(to_string(size)) == size);
    }
    for (const char* text : {"", "x", "224x", "x224", "224X320", "224 x 320", "-224", "+224", "224x320x3",
                             "22.4", "99999999999999999999", " 224"}) {
        CAPTURE(text);
        CHECK(!parse_map_size(text));
    }
}

TEST_CASE("limits hold for height and width alike") {
    CHECK(is_input_size(32));
    CHECK(is_input_size({32, 8192}));
    CHECK(!is_input_size({31, 64}));
    CHECK(!is_input_size({64, 31}));
    CHECK(!is_input_size({64, 8193}));
    CHECK(!is_input_size({8193, 64}));
}

TEST_CASE("maps are halved, rounded down, in both directions") {
    const Network network = Network::vgg(11);
    CHECK(network.map_size(network.convolutions().front(), {225, 99}) == MapSize(225, 99));
    CHECK(network.map_size(network.convolutions().back(), {225, 99}) == MapSize(14, 6));
    CHECK(network.macs(MapSize(64, 160)) == network.macs(MapSize(160, 64)));
    CHECK(network.macs(MapSize(64, 160)) < network.macs(160));
}

}  // namespace vgg19::model
