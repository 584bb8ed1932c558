/* Lists of certificates in DER (ITU-T X.690), one behind the other. */
#ifndef PETIOLE_DER_H
#define PETIOLE_DER_H

#include "network.h"

/* Takes the first one off the list. Size 0: there is none that is whole. */
struct bytes der_next(struct bytes *list);

#endif
