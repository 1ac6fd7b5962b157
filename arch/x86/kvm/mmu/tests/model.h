/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __KVM_X86_MMU_TESTS_MODEL_H
#define __KVM_X86_MMU_TESTS_MODEL_H

struct external_model;

void model_init(struct external_model *model);
/* Make @model the backend of all VMs, there is one at a time. */
void model_install(struct external_model *model);
void model_uninstall(void);

#endif /* __KVM_X86_MMU_TESTS_MODEL_H */
