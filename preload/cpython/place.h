/*
 * place.h - where CPython keeps the state of the calling thread
 */
#ifndef TIDEMARK_PLACE_H
#define TIDEMARK_PLACE_H

/*
 * tm_python_thread_place - the variable that the public function returns
 *
 * Reading it directly spares every birth a call.  What was found is compared with what the
 * function says; NULL when it is not known, or not the same.  The place is good as long as the
 * thread lives.
 */
void *const *tm_python_thread_place(void);

#endif
