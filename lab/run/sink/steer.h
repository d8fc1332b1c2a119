/* The rules of nf_tables that hand every packet to the sink's two sockets, or drop it. */
#pragma once
#include "base/error.h"
#include <stdbool.h>

int steer_all(bool six, struct fault *);
