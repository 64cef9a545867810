#include "engine/labels/labels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string_view>

using vgg19::imagenet_classes;
using vgg19::ImageNetClass;

TEST_CASE("every class has a unique label and synset") {
    std::set<std::string_view> synsets;
    std::set<std::string_view> labels;
    for (const ImageNetClass& entry : imagenet_classes()) {
        CAPTURE(entry.synset);
        CHECK(entry.synset.size() == 9);
        CHECK(entry.synset.front() == 'n');
        CHECK(entry.synset.find_first_not_of("0123456789", 1) == std::string_view::npos);
        CHECK_FALSE(entry.label.empty());
        synsets.insert(entry.synset);
        labels.insert(entry.label);
    }
    CHECK(synsets.size() == 1000);
    CHECK(labels.size() == 1000);
}

TEST_CASE("the classes have the challenge's order, sorted by synset") {
    const auto classes = imagenet_classes();
    CHECK(std::is_sorted(classes.begin(), classes.end(),
                         [](const ImageNetClass& a, const ImageNetClass& b) { return a.synset < b.synset; }));
}

TEST_CASE("well-known classes have their numbers") {
    const auto is = [](std::size_t number, std::string_view synset, std::string_view label) {
        CAPTURE(number);
        CHECK(imagenet_classes()[number].synset == synset);
        CHECK(imagenet_classes()[number].label == label);
    };
    is(0, "n01440764", "tench");
    is(133, "n02011460", "bittern");
    is(207, "n02099601", "golden retriever");
    is(281, "n02123045", "tabby");
    is(485, "n02988304", "CD player");
    is(654, "n03769881", "minibus");
    is(937, "n07714990", "broccoli");
    is(948, "n07742313", "Granny Smith");
    is(999, "n15075141", "toilet tissue");
}
