#include "converter/evaluate/class_search.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/labels/labels.h"
#include "engine/testing/error_of.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

using vgg19::testing::Containing;
using vgg19::testing::error_of;
using Names = std::vector<std::string>;

const ModelClasses imagenet(1000);

std::string refusal(const Names& names, const ModelClasses& model = imagenet) {
    return error_of(ErrorKind::bad_input, [&] { order_classes(names, model); });
}

}  // namespace

TEST_CASE("a folder matches a model's class name ignoring case, if only one class matches") {
    const ModelClasses flowers(4, {"pink primrose", "Rose", "rose", "Sword-Lily"});
    CHECK(order_classes({"Pink_Primrose", "sword lily"}, flowers).map == LabelMap{0, 3});
    CHECK(order_classes({"Rose", "rose"}, flowers).map == LabelMap{1, 2});
    CHECK(refusal({"ROSE"}, flowers) == Containing("found 1 that are not: 'ROSE'"));
}

TEST_CASE("ImageNet's labels match ignoring case, except for two that differ only in case") {
    CHECK(order_classes({"Golden Retriever", "TABBY", "goldfish"}, imagenet).map == LabelMap{207, 281, 1});
    CHECK(order_classes({"Cardigan", "cardigan"}, imagenet).map == LabelMap{264, 474});
    CHECK(refusal({"CARDIGAN"}) == Containing("found 1 such as 'CARDIGAN'"));
}

TEST_CASE("names that begin with a WordNet id mean that class") {
    const ClassMapping dogs = order_classes({"n02085620-Chihuahua", "n02099601_golden_retriever"}, imagenet);
    CHECK(dogs.map == LabelMap{151, 207});
    CHECK(dogs.reading == Containing("by ImageNet's labels and WordNet's ids: n02085620-Chihuahua → 151"));
    CHECK(order_classes({"n01440764 tench, Tinca tinca"}, imagenet).map == LabelMap{0});
    CHECK(refusal({"n02085620x"}) == Containing("found 1 such as 'n02085620x'"));
    CHECK(refusal({"n00000000-none", "tabby"}) == Containing("of which 'n00000000-none' is no such name"));
}

TEST_CASE("a label that ImageNet lists give to two classes is refused with both") {
    const std::string message = refusal({"Crane", "tench"});
    CHECK(message == Containing("class folder 'crane': ImageNet has two classes with this name: 134 "
                                "(n02012849, crane bird) and 517 (n03126707, crane)"));
    CHECK(message == Containing("Name the folder by WordNet's id, or give --label-map FILE"));
    CHECK(refusal({"maillot"}) == Containing("638 (n03710637, maillot) and 639 (n03710721"));
    CHECK(order_classes({"crane"}, imagenet, ClassOrder::name).map == LabelMap{517});
    CHECK(order_classes({"crane", "crane bird"}, imagenet).map == LabelMap{517, 134});
    CHECK(order_classes({"crane"}, ModelClasses(2, {"crane", "digger"})).map == LabelMap{0});

    Names labels;
    for (const ImageNetClass& known : imagenet_classes()) labels.emplace_back(known.label);
    CHECK(refusal({"crane"}, ModelClasses(labels.size(), labels)) == Containing("two classes"));
    Names folders = labels;
    std::sort(folders.begin(), folders.end());
    CHECK(order_classes(folders, ModelClasses(labels.size(), labels)).map.size() == labels.size());
}

TEST_CASE("the error names only the class folders that do not match") {
    CHECK(refusal({"cat", "goldfish", "tabby"}) ==
          Containing("found 3, of which 'cat' is no such name: give --label-map FILE"));
    CHECK(refusal({"chat", "chien"}, 3) == Containing("expected 3 classes as in the model, found 2 such as"));
}

}  // namespace vgg19::converter
