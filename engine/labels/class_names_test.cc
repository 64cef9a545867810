#include "engine/labels/class_names.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/labels/labels.h"

namespace vgg19 {

using Names = std::vector<std::string>;

TEST_CASE("class names are equal ignoring case, and with '_' or '-' for a space") {
    CHECK(is_same_class_name("Golden_Retriever", "golden retriever"));
    CHECK(is_same_class_name("pink-primrose", "Pink Primrose"));
    CHECK_FALSE(is_same_class_name("cat", "cats"));
    CHECK_FALSE(is_same_class_name("apfel", "Äpfel"));
    CHECK(is_same_class_name("Äpfel", "Äpfel"));
}

TEST_CASE("two models have different classes if a name differs") {
    const Names names = {"ant", "pink primrose", "cat"};
    CHECK_FALSE(first_other_class(names, names));
    CHECK_FALSE(first_other_class(names, Names{"Ant", "Pink_Primrose", "cat"}));
    CHECK_FALSE(first_other_class(names, {}));
    CHECK_FALSE(first_other_class({}, names));
    CHECK(first_other_class(names, Names{"cat", "pink primrose", "ant"}) == 0U);
    CHECK(first_other_class(names, Names{"ant", "pink primrose", "dog"}) == 2U);
}

TEST_CASE("lists of ImageNet names mean the same classes, with other words or ids") {
    Names labels;
    Names ids;
    for (const ImageNetClass& known : imagenet_classes()) {
        labels.emplace_back(known.label);
        ids.emplace_back(known.synset);
    }
    labels[7] = "a cock";
    CHECK(are_imagenet_names(labels));
    CHECK(are_imagenet_names(ids));
    CHECK_FALSE(first_other_class(labels, ids));
    std::reverse(ids.begin(), ids.end());
    CHECK_FALSE(are_imagenet_names(ids));
    CHECK(first_other_class(labels, ids) == 0U);
    CHECK_FALSE(are_imagenet_names(Names{"tench"}));
}

}  // namespace vgg19
