/*
 * What crate pf knows of <net/pfvar.h>, told by the compiler: every value becomes a comment
 *	#ABI NAME VALUE
 * in the assembler text of this file (cc -S), so that nothing has to run on OpenBSD.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <netinet/in.h>
#include <net/if.h>
#include <net/pfvar.h>

#include <stddef.h>

#define VALUE(name, value) __asm__ volatile("\n#ABI " name " %c0" :: "i"((unsigned long)(value)))
#define CONSTANT(name)		VALUE(#name, name)
#define SIZE(type)		VALUE("sizeof(" #type ")", sizeof(struct type))
#define OFFSET(type, member)	VALUE(#type "." #member, offsetof(struct type, member))

void
probe(void)
{
	CONSTANT(AF_INET);
	CONSTANT(AF_INET6);
	CONSTANT(PFR_FLAG_DUMMY);
	CONSTANT(PFR_FLAG_FEEDBACK);
	CONSTANT(PFR_TFLAG_PERSIST);
	CONSTANT(PFR_TFLAG_ACTIVE);
	CONSTANT(PFR_FB_NONE);
	CONSTANT(PF_LIMIT_TABLE_ENTRIES);
	CONSTANT(PF_ANCHOR_MAXPATH);
	CONSTANT(PF_TABLE_NAME_SIZE);
	CONSTANT(PFR_DIR_MAX);
	CONSTANT(PFR_OP_TABLE_MAX);
	CONSTANT(PFR_OP_XPASS);
	CONSTANT(PFR_REFCNT_MAX);

	CONSTANT(DIOCGETSTATUS);
	CONSTANT(DIOCGETLIMIT);
	CONSTANT(DIOCRADDTABLES);
	CONSTANT(DIOCRGETTSTATS);
	CONSTANT(DIOCRSETADDRS);

	SIZE(pfr_table);
	OFFSET(pfr_table, pfrt_anchor);
	OFFSET(pfr_table, pfrt_name);
	OFFSET(pfr_table, pfrt_flags);
	OFFSET(pfr_table, pfrt_fback);

	SIZE(pfr_addr);
	VALUE("alignof(pfr_addr)", _Alignof(struct pfr_addr));
	OFFSET(pfr_addr, pfra_u);
	OFFSET(pfr_addr, pfra_ifname);
	OFFSET(pfr_addr, pfra_af);
	OFFSET(pfr_addr, pfra_net);
	OFFSET(pfr_addr, pfra_not);
	OFFSET(pfr_addr, pfra_fback);
	OFFSET(pfr_addr, pfra_type);

	SIZE(pfr_tstats);
	OFFSET(pfr_tstats, pfrts_t);
	OFFSET(pfr_tstats, pfrts_packets);
	OFFSET(pfr_tstats, pfrts_bytes);
	OFFSET(pfr_tstats, pfrts_tzero);
	OFFSET(pfr_tstats, pfrts_cnt);
	OFFSET(pfr_tstats, pfrts_refcnt);

	SIZE(pfioc_table);
	OFFSET(pfioc_table, pfrio_table);
	OFFSET(pfioc_table, pfrio_buffer);
	OFFSET(pfioc_table, pfrio_esize);
	OFFSET(pfioc_table, pfrio_size);
	OFFSET(pfioc_table, pfrio_size2);
	OFFSET(pfioc_table, pfrio_nadd);
	OFFSET(pfioc_table, pfrio_ndel);
	OFFSET(pfioc_table, pfrio_nchange);
	OFFSET(pfioc_table, pfrio_flags);
	OFFSET(pfioc_table, pfrio_ticket);

	SIZE(pfioc_limit);
	OFFSET(pfioc_limit, index);
	OFFSET(pfioc_limit, limit);

	SIZE(pf_status);
	OFFSET(pf_status, running);
}
