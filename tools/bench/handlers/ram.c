/*
 * What the handlers are measured against: examples/ram.ts in C. It takes the place of null.c in the kernel's own server (kublk),
 * under another name, so that ring, commands and threads are kublk's and only the copies are ours.
 */
#include "kublk.h"

#define DISK_BYTES (64UL << 20)

static char *disk;

static int ram_init(const struct dev_ctx *ctx, struct ublk_dev *dev)
{
	struct ublk_params *params = &dev->tgt.params;

	(void)ctx;
	disk = calloc(1, DISK_BYTES);
	if (disk == NULL)
		return -ENOMEM;
	dev->tgt.dev_size = DISK_BYTES;
	memset(params, 0, sizeof(*params));
	params->types = UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DMA_ALIGN;
	params->basic.logical_bs_shift = 9;
	params->basic.physical_bs_shift = 12;
	params->basic.io_opt_shift = 12;
	params->basic.io_min_shift = 9;
	params->basic.max_sectors = dev->dev_info.max_io_buf_bytes >> 9;
	params->basic.dev_sectors = DISK_BYTES >> 9;
	params->dma.alignment = 511;
	return 0;
}

static int ram_queue_io(struct ublk_thread *thread, struct ublk_queue *queue, int tag)
{
	const struct ublksrv_io_desc *request = ublk_get_iod(queue, tag);
	char *buffer = ublk_get_io(queue, tag)->buf_addr;
	char *place = disk + (request->start_sector << 9);
	size_t bytes = (size_t)request->nr_sectors << 9;
	int result = (int)bytes;

	switch (ublksrv_get_op(request)) {
	case UBLK_IO_OP_READ:
		memcpy(buffer, place, bytes);
		break;
	case UBLK_IO_OP_WRITE:
		memcpy(place, buffer, bytes);
		break;
	default:
		result = -EOPNOTSUPP;
	}
	ublk_complete_io(thread, queue, tag, result);
	return 0;
}

/* kublk's list of targets knows this name. */
const struct ublk_tgt_ops null_tgt_ops = {
	.name = "ram",
	.init_tgt = ram_init,
	.queue_io = ram_queue_io,
};
