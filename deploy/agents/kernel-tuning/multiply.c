/* SPDX-License-Identifier: MPL-2.0 */
/* C = A x B, square matrices of `size` rows, row after row; `size` is a multiple of 64. All entries are
 * whole numbers, and no sum leaves the range in which a double is exact, so the order of the additions is
 * free.
 *
 * C is made in tiles, whose sums a good compiler keeps in registers. The columns of B are taken in strips
 * that stay in the cache while all of A passes by. */
#include <stddef.h>

#define TILE_ROWS 1 // evolve: 1 | 2 | 4 | 8

#define TILE_COLUMNS 4 // evolve: 4 | 8 | 16 | 32

#define STRIP_COLUMNS 32 // evolve: 32 | 64

/* Terms that are added in one turn of the innermost loop. */
#define UNROLL 1 // evolve: 1 | 2 | 4 | 8

static void multiply_tile (size_t size, const double *restrict a, const double *restrict b,
                           double *restrict c)
{
    double sum[TILE_ROWS][TILE_COLUMNS] = {{0}};
    for (size_t k = 0; k < size; k += UNROLL)
        for (size_t u = 0; u < UNROLL; u++)
            for (size_t i = 0; i < TILE_ROWS; i++)
                for (size_t j = 0; j < TILE_COLUMNS; j++)
                    sum[i][j] += a[i * size + k + u] * b[(k + u) * size + j];
    for (size_t i = 0; i < TILE_ROWS; i++)
        for (size_t j = 0; j < TILE_COLUMNS; j++)
            c[i * size + j] = sum[i][j];
}

void multiply (size_t size, const double *a, const double *b, double *c)
{
    for (size_t strip = 0; strip < size; strip += STRIP_COLUMNS)
        for (size_t i = 0; i < size; i += TILE_ROWS)
            for (size_t j = strip; j < strip + STRIP_COLUMNS; j += TILE_COLUMNS)
                multiply_tile (size, a + i * size, b + j, c + i * size + j);
}
