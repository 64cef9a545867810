// The whole C++ interface. C: vgg19.h.
#pragma once

#include "vgg19/error.h"
#include "vgg19/image.h"
#include "vgg19/losses.h"
#include "vgg19/model.h"
#include "vgg19/session.h"
