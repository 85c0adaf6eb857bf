/*
 * What crate states knows of <net/pfvar.h>; see probe.c.
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
	CONSTANT(PF_IN);
	CONSTANT(PF_OUT);
	CONSTANT(PF_OP_EQ);
	CONSTANT(PF_OP_RRG);
	CONSTANT(PF_SK_WIRE);
	CONSTANT(PF_SK_STACK);
	CONSTANT(PF_LIMIT_STATES);
	CONSTANT(PFR_FB_MATCH);
	CONSTANT(IFNAMSIZ);
	CONSTANT(PF_RULE_LABEL_SIZE);

	CONSTANT(DIOCGETSTATES);
	CONSTANT(DIOCGETLIMIT);
	CONSTANT(DIOCKILLSTATES);
	CONSTANT(DIOCRTSTADDRS);

	SIZE(pfsync_state);
	VALUE("alignof(pfsync_state)", _Alignof(struct pfsync_state));
	OFFSET(pfsync_state, id);
	OFFSET(pfsync_state, ifname);
	OFFSET(pfsync_state, key);
	OFFSET(pfsync_state, creatorid);
	OFFSET(pfsync_state, af);
	OFFSET(pfsync_state, proto);
	OFFSET(pfsync_state, direction);

	SIZE(pfsync_state_key);
	OFFSET(pfsync_state_key, addr);
	OFFSET(pfsync_state_key, port);
	OFFSET(pfsync_state_key, rdomain);
	OFFSET(pfsync_state_key, af);

	SIZE(pfioc_states);
	OFFSET(pfioc_states, ps_len);
	OFFSET(pfioc_states, ps_buf);

	SIZE(pfioc_state_kill);
	VALUE("alignof(pfioc_state_kill)", _Alignof(struct pfioc_state_kill));
	OFFSET(pfioc_state_kill, psk_pfcmp.id);
	OFFSET(pfioc_state_kill, psk_pfcmp.creatorid);
	OFFSET(pfioc_state_kill, psk_pfcmp.direction);
	OFFSET(pfioc_state_kill, psk_af);
	OFFSET(pfioc_state_kill, psk_proto);
	OFFSET(pfioc_state_kill, psk_src);
	OFFSET(pfioc_state_kill, psk_dst);
	OFFSET(pfioc_state_kill, psk_ifname);
	OFFSET(pfioc_state_kill, psk_label);
	OFFSET(pfioc_state_kill, psk_killed);
	OFFSET(pfioc_state_kill, psk_rdomain);

	SIZE(pf_rule_addr);
	OFFSET(pf_rule_addr, addr.v.a.addr);
	OFFSET(pf_rule_addr, addr.v.a.mask);
	OFFSET(pf_rule_addr, addr.p);
	OFFSET(pf_rule_addr, addr.type);
	OFFSET(pf_rule_addr, port);
	OFFSET(pf_rule_addr, neg);
	OFFSET(pf_rule_addr, port_op);
	OFFSET(pf_rule_addr, weight);
}
