#include "converter/evaluate/class_order.h"

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

constexpr std::size_t imagenet = 1000;

/// `first` to `last` as texts, sorted as folders are.
Names numbers_to(std::size_t last, std::size_t first = 0) {
    Names names;
    for (std::size_t i = first; i <= last; ++i) names.push_back(std::to_string(i));
    std::sort(names.begin(), names.end());
    return names;
}

LabelMap map_of(const Names& names, const ModelClasses& model, ClassOrder order = ClassOrder::automatic) {
    return order_classes(names, model, order).map;
}

std::string refusal(const Names& names, const ModelClasses& model, ClassOrder order = ClassOrder::automatic) {
    return error_of(ErrorKind::bad_input, [&] { map_of(names, model, order); });
}

}  // namespace

TEST_CASE("a model's own class names take precedence, also for some of its classes and for numbers") {
    const ModelClasses pets(4, {"dog", "cat", "10", "2"});
    CHECK(map_of({"10", "2", "cat", "dog"}, pets) == LabelMap{2, 3, 1, 0});
    CHECK(map_of({"cat"}, pets) == LabelMap{1});
    CHECK(order_classes({"cat", "dog"}, pets).reading == "by name: cat → 1, dog → 0");
    const std::string message = refusal({"cat", "cow", "dog"}, pets);
    CHECK(message == Containing("found 1 that are not: 'cow'"));
    CHECK(message == Containing("the model has 4 classes, such as 'dog', 'cat', '10', '2'"));
    CHECK(message == Containing("--label-map FILE, or --class-order"));
    CHECK(refusal({"chat", "chien", "lapin", "loup"}, pets) == Containing("found 4 that are not"));
    CHECK(map_of({"chat", "chien", "lapin", "loup"}, pets, ClassOrder::alphabetical) == LabelMap{0, 1, 2, 3});
    CHECK(map_of({"0", "3"}, pets, ClassOrder::index) == LabelMap{0, 3});
}

TEST_CASE("ambiguous numbers are refused with both readings, and each can be chosen") {
    const Names names = numbers_to(11);  // 0 1 10 11 2 …
    const std::string message = refusal(names, 12);
    CHECK(message == Containing("--class-order index: by index, which is the class folder's name: 10 → 10, "
                                "11 → 11, 2 → 2"));
    CHECK(message == Containing("--class-order alphabetical: by place in alphabetical order, as PyTorch's "
                                "ImageFolder numbers class folders: 10 → 2, 11 → 3, 2 → 4"));
    CHECK(message == Containing("that the model was trained with"));
    CHECK(map_of(names, 12, ClassOrder::index) == LabelMap{0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(map_of(names, 12, ClassOrder::natural) == LabelMap{0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(map_of(names, 12, ClassOrder::alphabetical) == LabelMap{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
}

TEST_CASE("numbers with the same meaning in every reading need no option") {
    CHECK(map_of(numbers_to(9), 10) == LabelMap{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(map_of({"00", "01", "10", "11"}, 12) == LabelMap{0, 1, 10, 11});
    CHECK(map_of({"0", "1"}, 12) == LabelMap{0, 1});
    CHECK(map_of({"1", "2"}, 2) == LabelMap{0, 1});  // counted from one: no index
    CHECK(map_of(numbers_to(9, 1), 9) == LabelMap{0, 1, 2, 3, 4, 5, 6, 7, 8});
    CHECK(map_of({"2001", "2002", "2003"}, 3) == LabelMap{0, 1, 2});
}

TEST_CASE("numbers from one, and numbers of some classes, are ambiguous too") {
    const Names from_one = numbers_to(12, 1);  // 1 10 11 12 2 …
    CHECK(refusal(from_one, 12) == Containing("--class-order alphabetical: "));
    CHECK(refusal(from_one, 12) == Containing("--class-order natural: "));
    CHECK(map_of(from_one, 12, ClassOrder::natural) == LabelMap{0, 9, 10, 11, 1, 2, 3, 4, 5, 6, 7, 8});
    CHECK(refusal(from_one, 12, ClassOrder::index) == Containing("class folder '12': expected a class"));

    // In ImageFolder's order of twelve classes, 10 is the third and 5 the eighth.
    CHECK(refusal({"0", "10", "5"}, 12) == Containing("--class-order alphabetical: "));
    CHECK(map_of({"0", "10", "5"}, 12, ClassOrder::alphabetical) == LabelMap{0, 2, 7});
    CHECK(map_of({"0", "10", "5"}, 12, ClassOrder::index) == LabelMap{0, 10, 5});
    CHECK(refusal({"0", "99"}, 12) == Containing("expected 12 classes as in the model"));
}

TEST_CASE("ImageNet's classes are recognised by WordNet ids, indices and labels") {
    CHECK(map_of(numbers_to(9), imagenet) == LabelMap{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(map_of({"10", "2", "n02123045"}, imagenet) == LabelMap{10, 2, 281});
    CHECK(map_of({"golden_retriever", "tabby"}, imagenet) == LabelMap{207, 281});
    CHECK(map_of({"golden retriever", "n02123045"}, imagenet) == LabelMap{207, 281});
    CHECK(order_classes({"tabby"}, imagenet).reading == "by ImageNet's labels: tabby → 281");
    CHECK(refusal({"cat", "tabby"}, imagenet) == Containing("expected 1000 classes"));
    CHECK(map_of({"crane", "crane_bird"}, imagenet) == LabelMap{517, 134});
}

TEST_CASE("ImageNet's classes are recognised in other lists of their names") {
    Names names;
    for (const ImageNetClass& known : imagenet_classes()) names.emplace_back(known.label);
    names[134] = "crane (n02012849)";
    for (std::string& name : names) std::replace(name.begin(), name.end(), ' ', '_');
    const ModelClasses model(imagenet, names);
    CHECK(model.are_imagenet());
    CHECK(map_of({"n01440764", "n02123045"}, model) == LabelMap{0, 281});
    CHECK(map_of({"crane_(n02012849)", "tabby"}, model) == LabelMap{134, 281});
}

TEST_CASE("a thousand classes with other names are not ImageNet's") {
    Names names = numbers_to(999);
    for (std::string& name : names) name = "class " + name;
    const ModelClasses model(imagenet, names);
    CHECK_FALSE(model.are_imagenet());
    CHECK(map_of({"class 10", "class 7"}, model)[0] == 2);
    CHECK(refusal({"n02123045"}, model) == Containing("'n02123045'"));
}

TEST_CASE("other names are positions in alphabetical order, if there are as many as classes") {
    CHECK(map_of({"class1", "class10", "class2"}, 3) == LabelMap{0, 1, 2});
    CHECK(map_of({"class1", "class10", "class2"}, 3, ClassOrder::natural) == LabelMap{0, 2, 1});
    CHECK(map_of({"12", "bee"}, 2) == LabelMap{0, 1});
    CHECK(order_classes({"ant", "bee"}, 2).reading ==
          "by place in alphabetical order, as PyTorch's ImageFolder numbers class folders: ant → 0, bee → 1");
    CHECK(refusal({"ant", "bee"}, 3) == Containing("expected 3 classes as in the model"));
    for (const ClassOrder order : {ClassOrder::alphabetical, ClassOrder::natural}) {
        CHECK(refusal({"ant", "bee"}, 3, order) == Containing("expected 3 classes as in the model"));
    }
    CHECK(refusal({"ant"}, 1, ClassOrder::index) == Containing("class folder 'ant'"));
    CHECK(refusal({"ant"}, 1, ClassOrder::name) == Containing("'ant'; the model has 1 classes"));
}

TEST_CASE("orders have the names of the command line") {
    CHECK(class_order_named("natural") == ClassOrder::natural);
    CHECK(error_of(ErrorKind::usage, [] { class_order_named("random"); }) ==
          Containing("--class-order: expected name, index, alphabetical or natural, found 'random'"));
}

}  // namespace vgg19::converter
