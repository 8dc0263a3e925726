/* SPDX-License-Identifier: MPL-2.0 */
/* What the evaluator and the driver agree on. */
#ifndef KERNEL_TUNING_MATRIX_H
#define KERNEL_TUNING_MATRIX_H

#define SIZE    192 /* rows and columns */
#define ENTRIES (SIZE * SIZE)

#endif
